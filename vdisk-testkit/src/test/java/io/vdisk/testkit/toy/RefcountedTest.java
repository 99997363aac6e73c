package io.vdisk.testkit.toy;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.feature.CheckReport;
import java.io.IOException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RefcountedTest {
  static final ToySubject SUBJECT = new ToySubject(new RefcountedFormat(), 1, (3 << 20) + 700);

  @ParameterizedTest
  @CsvSource({"1, false", "2, false", "3, true", "4, true"})
  void readsAsAnArrayDoes(long seed, boolean hasBacking) throws IOException {
    CheckReport report = new RandomUse(SUBJECT, seed, hasBacking).run(1500);
    assertTrue(report.allocatedUnits() > 0);
  }
}
