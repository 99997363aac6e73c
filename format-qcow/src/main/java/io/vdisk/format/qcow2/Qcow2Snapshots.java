package io.vdisk.format.qcow2;

import io.vdisk.BlockDevice;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.Snapshots;
import io.vdisk.file.HostFile;
import io.vdisk.format.qcow2.Refcounts.Space;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * The snapshots inside an image. Each change becomes visible by one write of the header, after all
 * that it needs is durable and before anything that it frees is given back: a power cut leaves the
 * old list or the new one, and at worst space that nothing uses.
 */
final class Qcow2Snapshots implements Snapshots {
  private final Alterations alterations;
  private final Metadata metadata;
  private final View view;

  /** Makes a device of a snapshot. */
  interface View {
    BlockDevice open(SnapshotEntry snapshot) throws IOException;
  }

  Qcow2Snapshots(Alterations alterations, View view) {
    this.alterations = alterations;
    this.metadata = alterations.metadata;
    this.view = view;
  }

  private HostFile file() {
    return metadata.file;
  }

  private SnapshotTable table() throws IOException {
    return SnapshotTable.read(file(), metadata.header());
  }

  @Override
  public List<Snapshot> list() throws IOException {
    return alterations.look(
        () -> {
          List<Snapshot> list = new ArrayList<>();
          for (SnapshotEntry entry : table().entries()) {
            list.add(describe(entry));
          }
          return list;
        });
  }

  private static Snapshot describe(SnapshotEntry entry) {
    return new Snapshot(
        entry.id().toString(),
        entry.name().toString(),
        entry.virtualSize(),
        entry.seconds(),
        entry.vmStateBytes(),
        entry.vmClockNanos());
  }

  /** Which of the entries a snapshot is. */
  private int find(List<SnapshotEntry> entries, Snapshot snapshot) throws FileNotFoundException {
    for (int i = 0; i < entries.size(); i++) {
      if (describe(entries.get(i)).equals(snapshot)) {
        return i;
      }
    }
    throw new FileNotFoundException(
        file().name() + ": there is no snapshot " + snapshot.id() + " (" + snapshot.name() + ")");
  }

  @Override
  public Snapshot create(String name) throws IOException {
    Snapshot[] made = new Snapshot[1];
    alterations.alter(() -> made[0] = describe(add(name)));
    return made[0];
  }

  private SnapshotEntry add(String name) throws IOException {
    Qcow2Header header = metadata.header();
    if (header.hasDataFile()) {
      throw new UnsupportedImageException(
          file().name() + ": has its data in another file, and so no internal snapshots");
    }
    RawBytes text = RawBytes.of(name);
    if (text.size() > SnapshotEntry.MAX_TEXT) {
      throw new IllegalArgumentException("the name of a snapshot of " + text.size() + " bytes");
    }
    SnapshotTable old = table();
    alterations.requireSound();
    ClusterTree tree = new ClusterTree(metadata, header.l1TableOffset, header.l1Entries);
    tree.add();
    alterations.flush();
    tree.mark();
    ByteBuffer l1 = tree.unmarkedL1();
    Space space = metadata.refcounts().takeRun(Math.max(1, l1.limit()));
    file().write(l1, space.offset());
    Instant now = Instant.now();
    SnapshotEntry entry =
        new SnapshotEntry(
            space.offset(),
            header.l1Entries,
            RawBytes.of(nextId(old.entries())),
            text,
            now.getEpochSecond() & 0xffff_ffffL,
            now.getNano(),
            0,
            0,
            header.virtualSize,
            SnapshotEntry.newExtra());
    List<SnapshotEntry> entries = new ArrayList<>(old.entries());
    entries.add(entry);
    replace(old, entries);
    return entry;
  }

  /** A number above all that are used, as QEMU chooses it. */
  private static String nextId(List<SnapshotEntry> entries) {
    long highest = 0;
    for (SnapshotEntry entry : entries) {
      highest = Math.max(highest, number(entry.id().toString()));
    }
    return Long.toString(highest + 1);
  }

  /** The digits that it begins with, spaces before them left out; 0 if there are none. */
  private static long number(String id) {
    String text = id.stripLeading();
    long number = 0;
    for (int i = 0; i < text.length() && i < 18; i++) {
      int digit = text.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        break;
      }
      number = 10 * number + digit;
    }
    return number;
  }

  /** Writes a new table, lets the header name it, and frees the old one. */
  private void replace(SnapshotTable old, List<SnapshotEntry> entries) throws IOException {
    Qcow2Header header = metadata.header();
    long offset = 0;
    if (!entries.isEmpty()) {
      ByteBuffer table = SnapshotTable.of(entries).encode(file().name());
      offset = metadata.refcounts().takeRun(table.remaining()).offset();
      file().write(table, offset);
    }
    alterations.flush();
    new HeaderUpdate(file(), header)
        .set(Qcow2Header.NB_SNAPSHOTS, entries.size())
        .set(Qcow2Header.SNAPSHOTS_OFFSET, offset)
        .write();
    metadata.refcounts().free(header.snapshotsOffset, old.entries().isEmpty() ? 0 : old.bytes());
  }

  @Override
  public void apply(Snapshot snapshot) throws IOException {
    alterations.alter(
        () -> {
          List<SnapshotEntry> entries = table().entries();
          apply(entries.get(find(entries, snapshot)));
        });
  }

  private void apply(SnapshotEntry snapshot) throws IOException {
    Qcow2Header header = metadata.header();
    if (header.bitmaps.isPresent()) {
      throw new UnsupportedImageException(
          file().name()
              + ": has dirty bitmaps, which another state of the disk would make wrong; remove them");
    }
    snapshot.checkL1(file(), header);
    alterations.requireSound();
    ClusterTree tree = new ClusterTree(metadata, snapshot.l1Offset(), snapshot.l1Entries());
    tree.add();
    alterations.flush();
    tree.mark(); // all of it is shared now, whatever its tables said
    ByteBuffer l1 = tree.unmarkedL1();
    Space space = metadata.refcounts().takeRun(Math.max(1, l1.limit()));
    file().write(l1, space.offset());
    alterations.flush();
    new HeaderUpdate(file(), header)
        .set(Qcow2Header.SIZE, snapshot.virtualSize())
        .set(Qcow2Header.L1_SIZE, snapshot.l1Entries())
        .set(Qcow2Header.L1_TABLE_OFFSET, space.offset())
        .write();
    new ClusterTree(metadata, header.l1TableOffset, header.l1Entries).remove();
    metadata.refcounts().free(header.l1TableOffset, (long) header.l1Entries * Long.BYTES);
  }

  @Override
  public void delete(Snapshot snapshot) throws IOException {
    alterations.alter(
        () -> {
          SnapshotTable old = table();
          int i = find(old.entries(), snapshot);
          SnapshotEntry gone = old.entries().get(i);
          gone.checkL1(file(), metadata.header());
          alterations.requireSound();
          List<SnapshotEntry> entries = new ArrayList<>(old.entries());
          entries.remove(i);
          replace(old, entries);
          new ClusterTree(metadata, gone.l1Offset(), gone.l1Entries()).remove();
          metadata.refcounts().free(gone.l1Offset(), gone.l1Bytes());
          alterations.flush();
          Qcow2Header header = metadata.header();
          new ClusterTree(metadata, header.l1TableOffset, header.l1Entries).mark();
        });
  }

  @Override
  public BlockDevice open(Snapshot snapshot) throws IOException {
    SnapshotEntry entry =
        alterations.look(
            () -> {
              List<SnapshotEntry> entries = table().entries();
              SnapshotEntry found = entries.get(find(entries, snapshot));
              found.checkL1(file(), metadata.header());
              return found;
            });
    return view.open(entry);
  }
}
