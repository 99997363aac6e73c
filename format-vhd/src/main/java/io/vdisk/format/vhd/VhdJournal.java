package io.vdisk.format.vhd;

import io.vdisk.CorruptImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.struct.Struct;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * The journal that Xen's {@code vhd-util} keeps, in a file of its own, of what it overwrites when
 * it resizes an image: a header of 512 bytes, big-endian, then entries, each followed by the bytes
 * that were at its offset. There is no specification beyond Xen's blktap. Used by one thread.
 */
final class VhdJournal {
  static final Struct HEADER = Struct.bigEndian("journal header");
  private static final Struct.Bytes COOKIE = HEADER.bytes("cookie", 8);
  private static final Struct.Bytes UUID_OF_IMAGE = HEADER.bytes("uuid", 16);
  private static final Struct.U64 FOOTER_OFFSET = HEADER.u64("vhd_footer_offset");
  private static final Struct.U32 DATA_ENTRIES = HEADER.u32("journal_data_entries");
  private static final Struct.U32 METADATA_ENTRIES = HEADER.u32("journal_metadata_entries");
  static final Struct.U64 DATA_OFFSET = HEADER.u64("journal_data_offset");
  static final Struct.U64 METADATA_OFFSET = HEADER.u64("journal_metadata_offset");

  /** In the byte order of the machine that wrote it. */
  static final Struct.Bytes EOF = HEADER.bytes("journal_eof", 8);

  static final Struct.Bytes PAD = HEADER.bytes("pad", 448);

  static final Struct ENTRY = Struct.bigEndian("journal entry");
  private static final Struct.U64 ENTRY_COOKIE = ENTRY.u64("cookie");
  private static final Struct.U32 TYPE = ENTRY.u32("type");
  private static final Struct.U32 SIZE = ENTRY.u32("size");
  private static final Struct.U64 OFFSET = ENTRY.u64("offset");
  private static final Struct.U32 CHECKSUM = ENTRY.u32("checksum");
  static final Struct.Bytes ENTRY_PAD = ENTRY.bytes("pad", 4);

  static {
    HEADER.end(512);
    ENTRY.end(32);
  }

  private static final byte[] VJOURNAL = "vjournal".getBytes(StandardCharsets.US_ASCII);
  private static final long MAGIC = 0xaaaa_1234_4321_aaaaL;

  /** Types of entries: footers are put back last. */
  private static final int FOOTER = 1;

  private static final int FOOTER_COPY = 2;
  private static final int MAX_TYPE = 8;

  /** Bytes of one entry: ours; a block of 2 MiB, and a table of the most entries, have less. */
  private static final long MAX_ENTRY = 64L << 20;

  private final HostFile journal;
  private final HostFile file;
  private final long footerOffset;
  private final List<Entry> entries;

  private record Entry(int type, long position, int size, long offset) {
    boolean isFooter() {
      return type == FOOTER || type == FOOTER_COPY;
    }
  }

  private VhdJournal(HostFile journal, HostFile file, long footerOffset, List<Entry> entries) {
    this.journal = journal;
    this.file = file;
    this.footerOffset = footerOffset;
    this.entries = entries;
  }

  /** Reads a journal of the image in {@code file} and finds all of it right. */
  static VhdJournal read(HostFile journal, HostFile file) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(HEADER.size());
    journal.readPadded(header, 0);
    header.clear();
    if (!Arrays.equals(COOKIE.get(header, 0), VJOURNAL)) {
      throw new CorruptImageException(journal.name() + ": is no journal of a VHD");
    }
    checkImage(journal, file, UniqueId.of(UUID_OF_IMAGE.get(header, 0)));
    long footerOffset = FOOTER_OFFSET.get(header, 0);
    long count = METADATA_ENTRIES.get(header, 0) + DATA_ENTRIES.get(header, 0);
    List<Entry> entries = new ArrayList<>();
    long position = HEADER.size();
    for (long i = 0; i < count; i++) {
      Entry entry = readEntry(journal, position, footerOffset);
      entries.add(entry);
      position = entry.position + entry.size;
    }
    if (footerOffset < 0 || entries.stream().noneMatch(entry -> entry.type == FOOTER)) {
      throw new CorruptImageException(journal.name() + ": the journal holds no footer");
    }
    return new VhdJournal(journal, file, footerOffset, entries);
  }

  private static void checkImage(HostFile journal, HostFile file, UUID id) throws IOException {
    Optional<Footers> footers = Footers.find(file);
    if (footers.isPresent() && !footers.get().used().id().equals(id)) {
      throw new CorruptImageException(
          String.format(
              "%s: the journal is of the image %s, and %s is %s",
              journal.name(), id, file.name(), footers.get().used().id()));
    }
  }

  private static Entry readEntry(HostFile journal, long position, long footerOffset)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(ENTRY.size());
    journal.readPadded(bytes, position);
    long size = SIZE.get(bytes, 0);
    long offset = OFFSET.get(bytes, 0);
    long type = TYPE.get(bytes, 0);
    boolean isSound =
        ENTRY_COOKIE.get(bytes, 0) == MAGIC
            && type >= FOOTER
            && type <= MAX_TYPE
            && size > 0
            && size % Structures.SECTOR == 0
            && size <= (type <= FOOTER_COPY ? HardDiskFooter.BYTES : MAX_ENTRY)
            && offset >= 0
            && offset <= footerOffset
            && offset + size <= footerOffset + HardDiskFooter.BYTES
            && position + ENTRY.size() + size <= journal.size();
    if (!isSound) {
      throw new CorruptImageException(
          journal.name() + ": the journal's entry at " + position + " is none");
    }
    long sum =
        ChecksumField.sum(bytes, 0, ENTRY.size())
            - ChecksumField.sum(bytes, CHECKSUM.offset(), CHECKSUM.length());
    Entry entry = new Entry((int) type, position + ENTRY.size(), (int) size, offset);
    ByteBuffer data = read(journal, entry);
    sum += ChecksumField.sum(data, 0, data.limit());
    if ((~sum & 0xffff_ffffL) != CHECKSUM.get(bytes, 0)) {
      throw new CorruptImageException(
          journal.name() + ": the checksum of the journal's entry at " + position + " is wrong");
    }
    return entry;
  }

  private static ByteBuffer read(HostFile journal, Entry entry) throws IOException {
    ByteBuffer data = ByteBuffer.allocate(entry.size);
    journal.readFully(data, entry.position);
    return data.clear();
  }

  /** Puts everything back, the footers last, and cuts the file where it ended. */
  void replay() throws IOException {
    for (Entry entry : entries) {
      if (!entry.isFooter()) {
        file.write(read(journal, entry), entry.offset);
      }
    }
    file.flush();
    for (Entry entry : entries) {
      if (entry.isFooter()) {
        HardDiskFooter footer = HardDiskFooter.of(read(journal, entry));
        file.write(footer.enabled().bytes(), entry.offset);
      }
    }
    file.flush();
    if (file.size() < file.capacity()) {
      file.resize(footerOffset + HardDiskFooter.BYTES);
      file.flush();
    }
  }
}
