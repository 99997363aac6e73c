package io.vdisk.tools;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What is written too fast is left out, and told of. */
class BoundedLogTest {
  private final AtomicLong seconds = new AtomicLong();
  private final ByteArrayOutputStream file = new ByteArrayOutputStream();
  private final BoundedLog log =
      new BoundedLog(file, () -> TimeUnit.SECONDS.toNanos(seconds.get()));

  private void write(String line, int times) throws IOException {
    for (int i = 0; i < times; i++) {
      log.write(line.getBytes(UTF_8));
    }
  }

  @Test
  void whatADayHasIsWhole() throws Exception {
    write("a line\n", 10_000);
    assertEquals("a line\n".repeat(10_000), file.toString(UTF_8));
  }

  @Test
  void aFloodEndsAndIsCounted() throws Exception {
    write("a line that comes again and again\n", 100_000);
    int flooded = file.size();
    assertTrue(flooded <= BoundedLog.MOST_AT_ONCE, () -> "" + flooded);
    long written = file.toString(UTF_8).lines().count();
    seconds.addAndGet(3600);
    write("the next one\n", 1);
    assertEquals(
        "... "
            + (100_000 - written)
            + " entries were left out: they came too fast\n"
            + "the next one\n",
        file.toString(UTF_8).substring(flooded));
  }

  @Test
  void aFloodThatLastsHasSoMuchInTheLongRun() throws Exception {
    for (int hour = 0; hour < 24; hour++) {
      write("a line that comes again and again\n", 100_000);
      seconds.addAndGet(3600);
    }
    long most = BoundedLog.MOST_AT_ONCE + 24 * 3600 * BoundedLog.BYTES_PER_SECOND;
    assertTrue(file.size() <= most, () -> file.size() + " bytes");
    assertTrue(file.size() > most / 2, () -> file.size() + " bytes");
  }
}
