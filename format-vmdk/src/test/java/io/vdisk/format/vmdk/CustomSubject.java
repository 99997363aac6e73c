package io.vdisk.format.vmdk;

import io.vdisk.BlockDevice;
import io.vdisk.file.HostFile;
import io.vdisk.testkit.Subject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A disk of extents of every kind that is written: grains of 4 KiB with an entry for zeroes, a COWD
 * file, a part of a flat file (without a backing file alone), grains of 32 KiB. They begin at odd
 * sectors, and none is whole grains.
 */
final class CustomSubject implements Subject {
  private static final int SECTOR = 512;
  private static final int[] SECTORS = {1301, 777, 601, 1403};
  private static final VmdkSubject OPENING = VmdkSubject.separate("twoGbMaxExtentSparse");

  @Override
  public int files() {
    return 5;
  }

  @Override
  public long size() {
    return (long) SECTOR * (SECTORS[0] + SECTORS[1] + SECTORS[2] + SECTORS[3]);
  }

  @Override
  public void create(List<HostFile> files, long size, Optional<BlockDevice> backing)
      throws IOException {
    List<String> lines = new ArrayList<>();
    lines.add(Descriptor.FIRST_LINE);
    lines.add("version=1");
    lines.add("CID=12345678");
    lines.add("parentCID=" + (backing.isPresent() ? "fffffffe" : "ffffffff"));
    lines.add("createType=\"custom\"");
    if (backing.isPresent()) {
      lines.add("parentFileNameHint=\"parent.vmdk\"");
    }
    sparse(lines, files.get(1), 1, SECTORS[0], 4096, true);
    cowd(lines, files.get(2), 2, SECTORS[1]);
    if (backing.isPresent()) {
      sparse(lines, files.get(3), 3, SECTORS[2], 8192, true);
    } else {
      lines.add("RW " + SECTORS[2] + " FLAT \"e-s003.vmdk\" 7");
      files.get(3).resize((7L + SECTORS[2] + 5) * SECTOR);
    }
    sparse(lines, files.get(4), 4, SECTORS[3], 32_768, false);
    byte[] text = Descriptor.encoded(lines, "image").bytes();
    files.get(0).write(ByteBuffer.wrap(text), 0);
  }

  private static void sparse(
      List<String> lines, HostFile file, int number, int sectors, int grain, boolean zeroed)
      throws IOException {
    lines.add("RW " + sectors + " SPARSE \"e-s00" + number + ".vmdk\"");
    new SparseCreator((long) sectors * SECTOR, grain, zeroed, 0)
        .write(file, Optional.empty(), true);
  }

  private static void cowd(List<String> lines, HostFile file, int number, int sectors)
      throws IOException {
    lines.add("RW " + sectors + " VMFSSPARSE \"e-s00" + number + ".vmdk\"");
    file.resize(5 * SECTOR);
    file.write(new CowdHeader(sectors, 1, 4, 1, 5, false).encode(), 0);
  }

  @Override
  public BlockDevice open(List<HostFile> files, boolean writable, Optional<BlockDevice> backing)
      throws IOException {
    return OPENING.open(files, writable, backing);
  }

  @Override
  public List<String> check(List<HostFile> files) throws IOException {
    return OPENING.check(files);
  }
}
