package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import io.vdisk.testkit.FlawedDevice.Flaw;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/** A contract that a flawed device keeps proves nothing. */
class ContractsBiteTest {
  /** The launcher is no part of what the module needs outside of its own tests. */
  @BeforeAll
  static void readTheLauncher() {
    Module testkit = ContractsBiteTest.class.getModule();
    ModuleLayer.boot().modules().stream()
        .filter(module -> module.getName().startsWith("org.junit."))
        .forEach(module -> testkit.addReads(module));
  }

  @ParameterizedTest
  @EnumSource
  void theContractSeesEveryFlaw(Flaw flaw) {
    assertSeen(FlawedCases.Contract.class, flaw);
  }

  /** Not those of buffers, arguments, states and places, which the model does not look at. */
  @ParameterizedTest
  @EnumSource(
      mode = Mode.EXCLUDE,
      names = {
        "WRITE_STARTS_BEFORE_IT_CHECKS",
        "WRITE_MOVES_THE_LIMIT",
        "READ_SPILLS_OVER",
        "DATA_LIES_ELSEWHERE",
        "READ_ONLY_SWALLOWS_WRITES",
        "CLOSED_READS_ZEROES",
        "INTERRUPT_FAILS_READS",
        "CAPABILITIES_CHANGE"
      })
  void theModelSeesEveryFlawOfWhatIsHeld(Flaw flaw) {
    assertSeen(FlawedCases.Model.class, flaw);
  }

  private static void assertSeen(Class<?> contract, Flaw flaw) {
    SummaryGeneratingListener listener = new SummaryGeneratingListener();
    FlawedCases.FLAW.set(flaw);
    try {
      LauncherFactory.create()
          .execute(
              LauncherDiscoveryRequestBuilder.request()
                  .selectors(selectClass(contract))
                  .configurationParameter("jqwik.database", "")
                  .configurationParameter("jqwik.shrinking.default", "OFF")
                  .configurationParameter("jqwik.reporting.onlyfailures", "true")
                  .build(),
              listener);
    } finally {
      FlawedCases.FLAW.remove();
    }
    TestExecutionSummary summary = listener.getSummary();
    assertTrue(summary.getTestsStartedCount() > 0, "nothing ran");
    assertEquals(0, summary.getTestsSkippedCount());
    assertTrue(summary.getTestsFailedCount() > 0, flaw + " was not seen");
  }
}
