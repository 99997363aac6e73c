package io.vdisk.backend.tap;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;

/**
 * A server in a process of its own, which can be killed: image, format, and a folder for the rest.
 */
@SuppressWarnings("try") // open is all that the listener must be
final class ServerProcess {
  private ServerProcess() {}

  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[2]);
    CompletableFuture<TapServer> server = new CompletableFuture<>();
    ServeOptions options =
        new ServeOptions(false, false, new RateLimit(), new RequestStatistics())
            .withWriteLogs(folder.resolve("writes-"));
    try (BlockDevice disk =
            Images.open(Path.of(args[0]), OpenOptions.readWrite().withFormat(args[1]));
        SharedFileListener listener =
            SharedFileListener.open(folder.resolve("s"), new OneGuest(disk, options, server))) {
      System.out.println("ready");
      server.join().awaitEnd();
    }
  }
}
