package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

class RequirementsTest {
  @Test
  void aProgramThatIsThereIsFound() {
    assertTrue(Files.isExecutable(Requirements.need("sh")));
  }

  @Property(tries = 20)
  void aProgramThatIsMissingEndsTheTest(
      @ForAll @AlphaChars @StringLength(min = 30, max = 40) String name) {
    Class<? extends Throwable> end =
        Boolean.getBoolean("vdisk.skippedIsFailure")
            ? AssertionError.class
            : TestAbortedException.class;

    assertThrows(end, () -> Requirements.need(name));
  }
}
