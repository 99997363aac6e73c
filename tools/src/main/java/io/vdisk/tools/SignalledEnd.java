package io.vdisk.tools;

import java.util.concurrent.CompletableFuture;

/**
 * How a process that serves ends by a signal: what it serves closes its disks, in a time that it
 * keeps to, and then says the exit code. A JVM by itself would end with 143, whatever had happened;
 * and so it does as long as nothing serves. Any thread may call.
 */
final class SignalledEnd {
  private final CompletableFuture<Boolean> asked = new CompletableFuture<>();
  private final CompletableFuture<Integer> code = new CompletableFuture<>();
  private volatile boolean isServing;

  /** That of this process. */
  static SignalledEnd ofProcess() {
    SignalledEnd end = new SignalledEnd();
    Runtime.getRuntime().addShutdownHook(new Thread(end::await, "end"));
    return end;
  }

  private void await() {
    if (isServing && !code.isDone()) { // else it ends by itself
      signal();
      Runtime.getRuntime().halt(code.join());
    }
  }

  /** The signal has come. */
  void signal() {
    asked.complete(true);
  }

  /** Completed when the signal has come. From now on the process ends when it is ready for that. */
  CompletableFuture<Boolean> asked() {
    isServing = true;
    return asked.copy();
  }

  /** Does something by a thread of its own when the signal comes, or has come. */
  void then(Runnable closing) {
    var unused = asked().thenRunAsync(closing, body -> new Thread(body, "closing").start());
  }

  /** Ends the process: nothing serves any longer. */
  void exit(int number) {
    code.complete(number);
    System.exit(number);
  }
}
