package io.vdisk.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.BlockDevice;
import io.vdisk.OpenOptions;
import io.vdisk.ReferencePolicy;
import io.vdisk.testkit.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Mutated images are refused where QEMU refuses them, for reading and for writing, and read the
 * same where it reads them; what differs is listed in {@link MutantDifferences}, with the reason.
 * The system property {@code vdisk.mutants} sets how many there are (default 150, the whole 2,000),
 * {@code vdisk.seed} where to begin.
 */
class Qcow2MutantsTest {
  private static final long SEED = Long.getLong("vdisk.seed", 4711);
  private static final int MUTANTS = Integer.getInteger("vdisk.mutants", 150);

  /** One request may take this long on a loaded machine. */
  private static final long MOST_SECONDS = 20;

  @TempDir Path folder;

  private final MutantDifferences differences = new MutantDifferences();
  private int recognised;
  private int opened;
  private int openedByQemu;

  @BeforeAll
  static void need() {
    Requirements.need("qemu-img");
    Requirements.need("qemu-io");
  }

  @Test
  void whatQemuRefusesIsRefusedAndTheReverse() throws IOException {
    MutatedImage.Kind[] kinds = MutatedImage.Kind.values();
    for (int k = 0; k < kinds.length; k++) {
      byte[] sound = kinds[k].make(folder);
      Path data = folder.resolve("data");
      byte[] guest = Files.exists(data) ? Files.readAllBytes(data) : new byte[0];
      judge(kinds[k], new MutatedImage(sound, "nothing", ""), data, guest, SEED);
      for (int i = k; i < MUTANTS; i += kinds.length) {
        SplittableRandom random = new SplittableRandom(SEED + i);
        judge(kinds[k], MutatedImage.of(sound, random), data, guest, SEED + i);
      }
    }
    int all = MUTANTS + kinds.length;
    System.out.printf(
        "%s: seeds from %d on, %d images, %d mutated; %d with magic and version kept; past open:"
            + " %d of ours (%d %%), %d of QEMU's%n%s",
        getClass().getSimpleName(),
        SEED,
        all,
        MUTANTS,
        recognised,
        opened,
        100L * opened / all,
        openedByQemu,
        differences.table());
    assertTrue(2 * recognised >= all, recognised + " of " + all + " with the magic kept");
    assertTrue(100L * opened >= 30L * all, opened + " of " + all + " got past open");
    assertEquals("", differences.unexplained());
  }

  private void judge(
      MutatedImage.Kind kind, MutatedImage mutant, Path data, byte[] guest, long seed)
      throws IOException {
    String where = kind + ", seed " + seed + ", " + mutant.part() + " " + mutant.what();
    recognised += mutant.isRecognised() ? 1 : 0;
    Path image = Files.write(folder.resolve("mutant.qcow2"), mutant.bytes());
    Verdict theirs = Verdict.ofQemusRead(kind, image, folder.resolve("out.raw"));
    Verdict ours = Verdict.ofOurs(image, reading(), Qcow2MutantsTest::read);
    opened += ours.isOpened() ? 1 : 0;
    openedByQemu += theirs.isOpened() ? 1 : 0;
    differences.add("read", where, theirs, ours);
    if (theirs.isDone() && ours.isDone()) {
      int length = Math.min(theirs.content().length, ours.content().length);
      if (!Arrays.equals(
          Arrays.copyOf(theirs.content(), length), Arrays.copyOf(ours.content(), length))) {
        differences.addContent(where, mutant);
      }
    }
    boolean wasSound = isSound(image);
    Verdict theirWrite = Verdict.ofQemusWrite(kind, image, mutant.diskSize());
    Files.write(image, mutant.bytes());
    if (guest.length > 0) {
      Files.write(data, guest);
    }
    Verdict ourWrite = Verdict.ofOurs(image, writing(), Qcow2MutantsTest::write);
    differences.add("write", where, theirWrite, ourWrite);
    boolean isDirty = mutant.bytes().length > 79 && (mutant.bytes()[79] & 1) != 0;
    if (!ourWrite.isOpened() && !isDirty) {
      byte[] now = Files.readAllBytes(image);
      assertTrue(Arrays.equals(mutant.bytes(), now), () -> "refused, and changed: " + where);
    }
    if (wasSound && ourWrite.isDone()) {
      assertTrue(isSound(image), "sound before the write and not after it: " + where);
    }
    if (guest.length > 0) {
      Files.write(data, guest);
    }
    assertTrue(ours.seconds() + ourWrite.seconds() < 2 * MOST_SECONDS, "takes time: " + where);
  }

  private static boolean isSound(Path image) throws IOException {
    CheckCounts counts = CheckCounts.ofOurs(image);
    return counts.exit() == 0 || counts.exit() == 3;
  }

  private static OpenOptions options(OpenOptions how) {
    return how.withFormats(Qcow2Subject.FORMATS)
        .withFormat("qcow2")
        .withReferences(ReferencePolicy.any())
        .withSecrets(Samples.SECRETS);
  }

  private static OpenOptions reading() {
    return options(OpenOptions.readOnly());
  }

  private static OpenOptions writing() {
    return options(OpenOptions.readWrite());
  }

  private static byte[] read(BlockDevice device) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(device.size(), MutatedImage.SIZE));
    device.read(bytes, 0);
    return bytes.array();
  }

  private static byte[] write(BlockDevice device) throws IOException {
    for (int[] range : Verdict.WRITES) {
      byte[] bytes = new byte[range[1]];
      Arrays.fill(bytes, (byte) 9);
      int length = (int) Verdict.within(range, device.size());
      device.write(ByteBuffer.wrap(bytes, 0, length), length == 0 ? 0 : range[0]);
    }
    device.flush();
    return new byte[0];
  }
}
