import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Xen's store, by the programs that come with it. */
final class Store {
  private Store() {}

  /** Writes nodes: path, value, path, value ..., with a space between. */
  static void write(String pathsAndValues) throws IOException {
    List<String> command = new ArrayList<>(List.of("xenstore-write"));
    command.addAll(List.of(pathsAndValues.split(" ")));
    String unused = run(command);
  }

  /** The node's value; empty if there is none. */
  static String read(String path) throws IOException {
    return run(List.of("xenstore-read", path));
  }

  static void remove(String path) throws IOException {
    String unused = run(List.of("xenstore-rm", path));
  }

  private static String run(List<String> command) throws IOException {
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    process.getOutputStream().close();
    return new String(process.getInputStream().readAllBytes()).strip();
  }
}
