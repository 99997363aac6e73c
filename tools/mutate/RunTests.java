import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/**
 * Runs the tests named, each {@code Class#method}. Prints {@code passed} or {@code failed} and the
 * name, for each that ran.
 */
final class RunTests {
  private RunTests() {}

  public static void main(String[] tests) {
    for (String test : tests) {
      try {
        TestExecutionSummary summary = run(test);
        summary.getFailures().forEach(failure -> failure.getException().printStackTrace());
        if (summary.getTotalFailureCount() > 0) {
          System.out.println("\nfailed " + test);
        } else if (summary.getTestsSucceededCount() > 0) {
          System.out.println("\npassed " + test);
        }
      } catch (ReflectiveOperationException e) {
        e.printStackTrace();
      }
    }
    System.exit(0); // a test that failed may have left threads behind
  }

  private static TestExecutionSummary run(String test) throws ReflectiveOperationException {
    String[] parts = test.split("#");
    String[] classes = parts[0].split("\\$");
    List<Class<?>> outer = new ArrayList<>();
    Class<?> type = Class.forName(classes[0]);
    for (int i = 1; i < classes.length; i++) {
      outer.add(type);
      type = nested(type, classes[i]);
    }
    Method method = method(type, parts[1]);
    var request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(
                outer.isEmpty()
                    ? DiscoverySelectors.selectMethod(type, method)
                    : DiscoverySelectors.selectNestedMethod(outer, type, method))
            .configurationParameter("jqwik.database", "")
            .build();
    SummaryGeneratingListener listener = new SummaryGeneratingListener();
    LauncherFactory.create().execute(request, listener);
    return listener.getSummary();
  }

  /** The nested class of that name, inherited or not. */
  private static Class<?> nested(Class<?> type, String name) throws ClassNotFoundException {
    for (Class<?> declaring = type; declaring != null; declaring = declaring.getSuperclass()) {
      for (Class<?> nested : declaring.getDeclaredClasses()) {
        if (nested.getSimpleName().equals(name)) {
          return nested;
        }
      }
    }
    throw new ClassNotFoundException(type + " " + name);
  }

  /** The method of that name, inherited or not, whatever its parameters. */
  private static Method method(Class<?> type, String name) throws NoSuchMethodException {
    for (Class<?> declaring = type; declaring != null; declaring = declaring.getSuperclass()) {
      for (Method method : declaring.getDeclaredMethods()) {
        if (method.getName().equals(name)) {
          return method;
        }
      }
    }
    throw new NoSuchMethodException(type + " " + name);
  }
}
