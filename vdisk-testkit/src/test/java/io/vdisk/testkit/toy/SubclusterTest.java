package io.vdisk.testkit.toy;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SubclusterTest {
  static final ToySubject SUBJECT = new ToySubject(new SubclusterFormat(), 1, (2 << 20) + 700);

  @ParameterizedTest
  @CsvSource({"1, false", "2, false", "3, true", "4, true"})
  void readsAsAnArrayDoes(long seed, boolean hasBacking) throws IOException {
    assertTrue(new RandomUse(SUBJECT, seed, hasBacking).run(1500).allocatedUnits() > 0);
  }
}
