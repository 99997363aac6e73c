package io.vdisk.backend.tap.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.ReferencePolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What tap-ctl stats prints. */
final class StatisticsTextTest {
  private static final String NO_LATENCY =
      "{ \"count\": 0, \"failed\": 0, \"total_ns\": 0, \"p50_ns\": 0, \"p99_ns\": 0,"
          + " \"p99.9_ns\": 0, \"max_ns\": 0 }";

  @TempDir Path folder;

  private final TapDisk disk =
      new TapDisk(0, DiskPolicy.DEFAULT, new RamDisks(8 << 20), GuestRing::start);
  private final GuestRing guest = new GuestRing();

  @Test
  void aDiskThatIsNotOpenHasTapdisksNameForIt() {
    assertEquals(
        "{ \"name\": \"(null)\", \"secs\": [ 0, 0 ], \"images\": [  ],"
            + " \"FIXME_enospc_redirect_count\": 0, \"nbd_mirror_failed\": 0,"
            + " \"reqs_outstanding\": 0, \"read_caching\": \"false\", \"latency\": { \"read\": "
            + NO_LATENCY
            + ", \"write\": "
            + NO_LATENCY
            + ", \"flush\": "
            + NO_LATENCY
            + ", \"discard\": "
            + NO_LATENCY
            + " } }",
        disk.statistics());
  }

  @Test
  void anOpenDiskHasTapdisksFieldsFirst() throws Exception {
    Path file = folder.resolve("x.vhd");
    Images.create(file, CreateOptions.of("vhd", 8 << 20)).close();
    disk.open(OpenRequest.of("vhd:" + file, OpenFlag.NO_O_DIRECT));
    disk.serve(guest.transport());
    guest.options.statistics().read(8, 1000, false);
    guest.options.statistics().read(2, 1000, true);
    guest.options.statistics().wrote(16, 1000, false);
    String expected =
        "{ \"name\": \"vhd:FILE\", \"secs\": [ 10, 16 ], \"images\": [ { \"name\": \"FILE\","
            + " \"hits\": [ 10, 16 ], \"fail\": [ 2, 0 ], \"driver\": { \"type\": 4, \"name\":"
            + " \"vhd\", \"status\": null } } ], \"FIXME_enospc_redirect_count\": 0,"
            + " \"nbd_mirror_failed\": 0, \"reqs_outstanding\": 0, \"read_caching\": \"true\","
            + " \"latency\": { \"read\": { \"count\": 2, \"failed\": 1, \"total_ns\": 2000,"
            + " \"p50_ns\": 1000, \"p99_ns\": 1000, \"p99.9_ns\": 1000, \"max_ns\": 1000 }, ";
    String statistics = disk.statistics().replace(file.toString(), "FILE");
    assertEquals(expected, statistics.substring(0, expected.length()));
    disk.close(false);
    assertTrue(
        disk.statistics()
            .startsWith("{ \"name\": \"(null)\", \"secs\": [ 10, 16 ], \"images\": [  ]"));
  }

  @Test
  void hitsAreTheImagesFromWhichWasRead() throws Exception {
    Path base = Files.write(folder.resolve("base"), new byte[8 << 20]);
    Path middle = overlay("middle", "raw", base);
    Path top = overlay("top", "qcow2", middle);
    disk.open(OpenRequest.of("qcow2:" + top + "|qcow2:" + middle + "|aio:" + base));
    disk.serve(guest.transport());
    Bytes.write(guest.device, 0, 1, 65536);
    guest.options.statistics().wrote(128, 1000, false);
    Bytes.read(guest.device, 32768, 65536);
    guest.options.statistics().read(128, 1000, false);

    String statistics = disk.statistics();

    assertTrue(statistics.contains("/top\", \"hits\": [ 64, 128 ]"), statistics);
    assertTrue(statistics.contains("/middle\", \"hits\": [ 0, 0 ]"), statistics);
    assertTrue(statistics.contains("/base\", \"hits\": [ 64, 0 ]"), statistics);
    disk.close(false);
  }

  private Path overlay(String name, String format, Path below) throws IOException {
    Path file = folder.resolve(name);
    Images.create(
            file,
            CreateOptions.overlay("qcow2", below.toString(), format)
                .withReferences(ReferencePolicy.any()))
        .close();
    return file;
  }

  @Test
  void aRawDiskTellsItsQueue() throws Exception {
    Path file = Files.write(folder.resolve("a \"b\\\n"), new byte[512]);
    disk.open(OpenRequest.of("aio:" + file));
    String statistics = disk.statistics();
    assertTrue(
        statistics.contains(
            "\"driver\": { \"type\": 0, \"name\": \"aio\", \"status\": { \"reqs\": { \"max\": 352,"
                + " \"pending\": 0 } } }"),
        statistics);
    assertTrue(statistics.contains("/a \\\"b\\\\\\u000a\""), statistics);
    disk.close(false);
  }
}
