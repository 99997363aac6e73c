package io.vdisk.bench.ring;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.RateLimit;
import io.vdisk.backend.tap.RequestStatistics;
import io.vdisk.backend.tap.ServeOptions;
import io.vdisk.backend.tap.SharedFileListener;
import io.vdisk.backend.tap.TapServer;
import io.vdisk.backend.tap.TapTransport;
import io.vdisk.bench.report.MarkdownTable;
import io.vdisk.bench.stats.Sample;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The command {@code ring}: what a request costs more that a guest in another process asks through
 * a ring in a shared file, than one that calls the same device directly.
 */
@SuppressWarnings("try") // open is all that the listener must be
public final class RingCost {
  private static final long DISK_SIZE = 512L << 20;
  private static final int PAIRS = 7;
  private static final int REQUESTS = 1_000_000;

  /** Of a disk that is waited for. */
  private static final int DIRECT_REQUESTS = 50_000;

  private static final int PAGE = 4096;

  /**
   * Where a guest's memory is memory: the host writes a page of a file elsewhere out whenever it
   * likes, and whoever writes to it next waits.
   */
  private static final Path MEMORY = Path.of("/dev/shm");

  private final BlockDevice disk;
  private final PrintStream orders;
  private final BufferedReader answers;

  private RingCost(BlockDevice disk, Process guest) {
    this.disk = disk;
    this.orders = new PrintStream(guest.getOutputStream(), true, StandardCharsets.UTF_8);
    this.answers =
        new BufferedReader(new InputStreamReader(guest.getInputStream(), StandardCharsets.UTF_8));
  }

  /**
   * {@code --direct} for a disk past the page cache, or nothing; the format of the disk (raw if
   * there is none), then names of cases (all if there is none).
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    List<String> words = List.of(args);
    boolean isDirect = !words.isEmpty() && words.get(0).equals("--direct");
    words = words.subList(isDirect ? 1 : 0, words.size());
    String format = words.isEmpty() ? "raw" : words.get(0);
    List<String> names = words.subList(Math.min(1, words.size()), words.size());
    Path folder = Files.createTempDirectory("ring");
    Path guestMemory =
        Files.isDirectory(MEMORY) ? Files.createTempDirectory(MEMORY, "ring") : folder;
    Path image = folder.resolve("disk");
    Images.create(image, CreateOptions.of(format, DISK_SIZE)).close();
    try (HostFile file =
            isDirect ? LocalFile.openDirect(image, true, true) : LocalFile.open(image, true);
        BlockDevice disk = disk(file, format);
        SharedFileListener listener = listen(folder.resolve("socket"), disk)) {
      Process guest = guest(folder.resolve("socket"), guestMemory.resolve("file"));
      RingCost cost = new RingCost(disk, guest);
      MarkdownTable table =
          new MarkdownTable(
              "case", "direct, us", "through the ring, us", "cost, us (quartiles)", "rate");
      for (RingCase load : RingCase.all(isDirect ? DIRECT_REQUESTS : REQUESTS)) {
        if (names.isEmpty() || names.contains(load.name())) {
          table.add(cost.row(load).toArray(String[]::new));
        }
      }
      System.out.print(table);
      cost.orders.close();
      guest.waitFor();
    } finally {
      delete(folder);
      if (!guestMemory.equals(folder)) {
        delete(guestMemory);
      }
    }
  }

  private static void delete(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }

  private static BlockDevice disk(HostFile file, String format) throws IOException {
    BlockDevice disk = Images.open(file, OpenOptions.readWrite().withFormat(format));
    ByteBuffer piece = ByteBuffer.allocateDirect(1 << 20).order(ByteOrder.nativeOrder());
    for (long offset = 0; offset < DISK_SIZE; offset += piece.capacity()) {
      for (int i = 0; i < piece.capacity(); i += PAGE) {
        piece.putLong(i, offset + i);
      }
      disk.write(piece.clear(), offset);
    }
    disk.flush();
    return disk;
  }

  private static SharedFileListener listen(Path socket, BlockDevice disk) throws IOException {
    return SharedFileListener.open(
        socket,
        new SharedFileListener.Disk() {
          @Override
          public DiskInfo info() {
            return DiskInfo.of(disk.size(), false);
          }

          @Override
          public void serve(TapTransport guest) throws IOException {
            TapServer.start(
                guest,
                disk,
                new ServeOptions(false, false, new RateLimit(), new RequestStatistics()));
          }
        });
  }

  private static Process guest(Path socket, Path file) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:+UseSerialGC",
            "-Xmx64m",
            "-cp",
            System.getProperty("java.class.path"),
            RingGuest.class.getName(),
            socket.toString(),
            file.toString())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private List<String> row(RingCase load) throws IOException {
    direct(load);
    ring(load);
    List<Double> direct = new ArrayList<>();
    List<Double> ring = new ArrayList<>();
    List<Double> cost = new ArrayList<>();
    List<Double> rate = new ArrayList<>();
    for (int pair = 0; pair < PAIRS; pair++) {
      boolean isDirectFirst = pair % 2 == 0;
      double first = isDirectFirst ? direct(load) : ring(load);
      double second = isDirectFirst ? ring(load) : direct(load);
      direct.add(isDirectFirst ? first : second);
      ring.add(isDirectFirst ? second : first);
      cost.add(ring.get(pair) - direct.get(pair));
      rate.add(direct.get(pair) / ring.get(pair));
    }
    Sample costs = Sample.of(cost);
    return List.of(
        load.name(),
        figure(Sample.of(direct).median()),
        figure(Sample.of(ring).median()),
        String.format(
            Locale.ROOT,
            "%.2f (%.2f-%.2f)",
            costs.median(),
            costs.lowerQuartile(),
            costs.upperQuartile()),
        figure(Sample.of(rate).median()));
  }

  private static String figure(double value) {
    return String.format(Locale.ROOT, "%.2f", value);
  }

  /** Microseconds of a request through the ring. */
  private double ring(RingCase load) throws IOException {
    orders.println(load.order());
    String answer = answers.readLine();
    if (answer == null) {
      throw new IOException("the guest has gone");
    }
    return Long.parseLong(answer) / 1000.0 / load.requests();
  }

  /** Microseconds of a direct request of one thread. */
  private double direct(RingCase load) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(load.size() * 32).order(ByteOrder.nativeOrder());
    long began = System.nanoTime();
    for (int i = 0; i < load.requests(); i++) {
      long offset = load.offset(i, DISK_SIZE);
      ByteBuffer data = buffer.slice(i % load.depth() * load.size(), load.size());
      data.order(ByteOrder.nativeOrder());
      if (load.isWrite()) {
        for (int done = 0; done < load.size(); done += PAGE) {
          data.putLong(done, offset + done);
        }
        disk.write(data, offset);
      } else {
        disk.read(data, offset);
        for (int done = 0; done < load.size(); done += PAGE) {
          if (data.getLong(done) != offset + done) {
            throw new IOException("read " + data.getLong(done) + " at " + (offset + done));
          }
        }
      }
    }
    return (System.nanoTime() - began) / 1000.0 / load.requests();
  }
}
