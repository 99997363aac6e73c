package io.vdisk.bench.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class UsageTest {
  @Test
  void lastLineCounts() throws IOException {
    Usage usage = Usage.parse(List.of("Command exited with non-zero status 1", "1.25 0.50 40960"));

    assertEquals(new Usage(1.25, 0.5, 40_960), usage);
    assertEquals(1.75, usage.cpu());
  }

  @Test
  void otherTextIsRefused() {
    assertThrows(IOException.class, () -> Usage.parse(List.of()));
    assertThrows(IOException.class, () -> Usage.parse(List.of("1.25 0.50")));
  }
}
