package io.vdisk.format.qcow2;

import io.vdisk.CreateOptions;
import io.vdisk.ImageInfo;
import io.vdisk.Limits;
import io.vdisk.Reference;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.file.Zeroes;
import io.vdisk.format.qcow.crypt.LegacyAes;
import io.vdisk.format.qcow.crypt.Luks;
import io.vdisk.format.qcow.crypt.NewLuks;
import io.vdisk.format.qcow2.HeaderExtension.Feature;
import io.vdisk.spi.CreateContext;
import io.vdisk.spi.metadata.CacheBudget;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Makes a qcow2 image: header, refcount table, refcount blocks, L1 table, in this order of host
 * clusters, as QEMU has them. The header's magic number is written last, so that half an image is
 * none. One thread.
 */
final class Qcow2Creator implements Closeable {
  private static final int STEP = 1 << 20;
  private static final int HEADER_LENGTH = 112;

  private final HostFile file;
  private final Limits limits;
  private final Optional<byte[]> backingName;
  private final Optional<String> backingFormat;
  private final long virtualSize;
  private final int version;
  private final int clusterBits;
  private final int refcountOrder;
  private final boolean lazyRefcounts;
  private final String preallocation;
  private final long cryptMethod;
  private final Optional<NewLuks> luks;

  Qcow2Creator(HostFile file, CreateOptions options, CreateContext context) throws IOException {
    this.file = file;
    this.limits = context.limits();
    Choices choices = new Choices(options.options());
    this.version = choices.version();
    this.clusterBits = choices.clusterBits();
    this.refcountOrder = choices.refcountOrder(version);
    this.lazyRefcounts = choices.isOn("lazy_refcounts", version);
    this.preallocation = choices.preallocation(options.backingName().isPresent());
    this.cryptMethod = choices.cryptMethod();
    if (cryptMethod != 0 && !preallocation.equals("off")) {
      // What was never written would decipher to noise.
      throw Choices.wrong("preallocation", preallocation, "off with encryption");
    }
    this.backingName = options.backingName().map(name -> name.getBytes(StandardCharsets.UTF_8));
    this.backingFormat = options.backingFormat();
    if (backingName.isPresent() && backingName.get().length > Qcow2Header.MAX_BACKING_NAME) {
      throw new IllegalArgumentException(
          "the name of the backing file is longer than " + Qcow2Header.MAX_BACKING_NAME + " bytes");
    }
    this.luks =
        cryptMethod == Luks.METHOD
            ? Optional.of(NewLuks.of(choices.left::remove, context.secrets(), file.name()))
            : Optional.empty();
    boolean done = false;
    try {
      choices.refuseOthers();
      this.virtualSize = roundedSize(options, context);
      if (cryptMethod == LegacyAes.METHOD) {
        LegacyAes.unlock(context.secrets(), file.name()).close(); // or nobody could open it
      }
      done = true;
    } finally {
      if (!done) {
        close();
      }
    }
  }

  /** Disks have whole sectors of 512 bytes: QEMU would not see the rest of the last one. */
  private long roundedSize(CreateOptions options, CreateContext context) throws IOException {
    long size;
    if (options.virtualSize().isPresent()) {
      size = options.virtualSize().get();
    } else if (options.backingName().isPresent()) {
      Reference reference =
          new Reference(
              Reference.Kind.BACKING,
              options.backingName().get(),
              options.backingFormat(),
              file,
              false);
      ImageInfo backing = context.backingInfo(reference);
      size = backing.virtualSize();
    } else {
      throw new IllegalArgumentException("a qcow2 image needs a size or a backing file");
    }
    if (size > Long.MAX_VALUE - 511) {
      throw new UnsupportedImageException(file.name() + ": virtual size " + size);
    }
    return (size + 511) & -512;
  }

  private long clusterSize() {
    return 1L << clusterBits;
  }

  private static long divideUp(long value, long by) {
    return value / by + (value % by == 0 ? 0 : 1);
  }

  void create() throws IOException {
    RefcountWidth width = new RefcountWidth(refcountOrder);
    long l1Entries = divideUp(virtualSize, clusterSize() * (clusterSize() / Long.BYTES));
    if (l1Entries > Qcow2Header.MAX_L1_BYTES / Long.BYTES) {
      throw new UnsupportedImageException(
          file.name()
              + ": "
              + virtualSize
              + " bytes are too many for clusters of "
              + clusterSize());
    }
    long l1Clusters = divideUp(l1Entries * Long.BYTES, clusterSize());
    long perBlock = width.in(clusterSize());
    long luksClusters = luks.isEmpty() ? 0 : divideUp(luks.get().length(), clusterSize());
    long blocks = 1;
    long tableClusters = 1;
    while (true) {
      long used = 1 + tableClusters + blocks + l1Clusters + luksClusters;
      long neededBlocks = divideUp(used, perBlock);
      long neededTable = divideUp(neededBlocks * Long.BYTES, clusterSize());
      if (neededBlocks <= blocks && neededTable <= tableClusters) {
        break;
      }
      blocks = Math.max(blocks, neededBlocks);
      tableClusters = Math.max(tableClusters, neededTable);
    }
    long tableOffset = clusterSize();
    long blocksOffset = tableOffset + tableClusters * clusterSize();
    long l1Offset = blocksOffset + blocks * clusterSize();
    long used = 1 + tableClusters + blocks + l1Clusters + luksClusters;
    writeTable(tableOffset, tableClusters, blocks, blocksOffset);
    writeBlocks(blocksOffset, blocks, used, width);
    writeZeroes(l1Offset, l1Entries * Long.BYTES);
    long luksOffset = l1Offset + l1Clusters * clusterSize();
    if (luks.isPresent()) {
      writeZeroes(luksOffset, luksClusters * clusterSize());
      luks.get().write(file, luksOffset);
    }
    ByteBuffer header = header(l1Entries, l1Offset, tableOffset, tableClusters, luksOffset);
    ByteBuffer magic = header.duplicate().limit(4);
    file.write(header.duplicate().position(4), 4);
    if (!preallocation.equals("off")) {
      preallocate(header);
    }
    file.write(magic, 0);
  }

  /** Wipes the passphrase. */
  @Override
  public void close() {
    luks.ifPresent(NewLuks::close);
  }

  private void writeTable(long offset, long clusters, long blocks, long blocksOffset)
      throws IOException {
    ByteBuffer table = ByteBuffer.allocate(Math.toIntExact(clusters * clusterSize()));
    for (int i = 0; i < blocks; i++) {
      table.putLong(i * Long.BYTES, blocksOffset + i * clusterSize());
    }
    file.write(table, offset);
  }

  private void writeBlocks(long offset, long blocks, long used, RefcountWidth width)
      throws IOException {
    ByteBuffer block = ByteBuffer.allocate(Math.toIntExact(clusterSize()));
    for (long i = 0; i < blocks; i++) {
      long first = i * width.in(clusterSize());
      block.clear();
      for (long at = first; block.hasRemaining(); at += width.perWord()) {
        long counts = 0;
        for (int j = 0; j < width.perWord() && at + j < used; j++) {
          counts = width.with(counts, j, 1);
        }
        block.putLong(counts);
      }
      file.write(block.flip(), offset + i * clusterSize());
    }
  }

  private void writeZeroes(long offset, long length) throws IOException {
    ByteBuffer zeroes = ByteBuffer.allocateDirect((int) Math.min(STEP, Math.max(length, 1)));
    Zeroes.fill(zeroes);
    for (long done = 0; done < length; done += zeroes.limit()) {
      zeroes.clear().limit((int) Math.min(zeroes.capacity(), length - done));
      file.write(zeroes, offset + done);
    }
  }

  private ByteBuffer header(
      long l1Entries, long l1Offset, long tableOffset, long tableClusters, long luksOffset) {
    int length = version == 2 ? Qcow2Header.VERSION_2_LENGTH : HEADER_LENGTH;
    ByteBuffer header = ByteBuffer.allocate(Math.toIntExact(clusterSize()));
    Qcow2Header.MAGIC.put(header, 0, Qcow2Header.QFI);
    Qcow2Header.VERSION.put(header, 0, version);
    Qcow2Header.CLUSTER_BITS.put(header, 0, clusterBits);
    Qcow2Header.SIZE.put(header, 0, virtualSize);
    Qcow2Header.CRYPT_METHOD.put(header, 0, cryptMethod);
    Qcow2Header.L1_SIZE.put(header, 0, l1Entries);
    Qcow2Header.L1_TABLE_OFFSET.put(header, 0, l1Offset);
    Qcow2Header.REFCOUNT_TABLE_OFFSET.put(header, 0, tableOffset);
    Qcow2Header.REFCOUNT_TABLE_CLUSTERS.put(header, 0, tableClusters);
    if (version == 3) {
      long compatible = lazyRefcounts ? Feature.LAZY_REFCOUNTS.mask() : 0;
      Qcow2Header.COMPATIBLE_FEATURES.put(header, 0, compatible);
      Qcow2Header.REFCOUNT_ORDER.put(header, 0, refcountOrder);
      Qcow2Header.HEADER_LENGTH.put(header, 0, length);
    }
    byte[] name = backingName.orElse(new byte[0]);
    header.position(length);
    for (HeaderExtension extension : extensions(header.remaining() - name.length, luksOffset)) {
      extension.encode(header);
    }
    header.position(header.position() + HeaderExtension.PREFIX); // the end, which is zero
    if (backingName.isPresent()) {
      Qcow2Header.BACKING_FILE_OFFSET.put(header, 0, header.position());
      Qcow2Header.BACKING_FILE_SIZE.put(header, 0, name.length);
      header.put(name);
    }
    return header.flip();
  }

  /** What fits: the names of features may be left out, the format of the backing file not. */
  private List<HeaderExtension> extensions(int room, long luksOffset) {
    List<HeaderExtension> wanted = new ArrayList<>();
    int left = room - HeaderExtension.PREFIX;
    if (luks.isPresent()) {
      ByteBuffer pointer = ByteBuffer.allocate(2 * Long.BYTES);
      pointer.putLong(luksOffset).putLong(luks.get().length());
      HeaderExtension extension = new HeaderExtension(HeaderExtension.ENCRYPTION, pointer.array());
      wanted.add(extension);
      left -= extension.size();
    }
    if (backingName.isPresent() && backingFormat.isPresent()) {
      HeaderExtension format =
          HeaderExtension.text(HeaderExtension.BACKING_FORMAT, backingFormat.get());
      wanted.add(format);
      left -= format.size();
    }
    if (left < 0) {
      throw new IllegalArgumentException(
          "the name of the backing file does not fit into a cluster of " + clusterSize());
    }
    HeaderExtension names = HeaderExtension.featureNames();
    if (version == 3 && names.size() <= left) {
      wanted.add(names);
    }
    return wanted;
  }

  /** Gives every guest cluster its host cluster, through the layout that will use them. */
  private void preallocate(ByteBuffer encoded) throws IOException {
    Qcow2Header header = Qcow2Header.parse(encoded, file, limits);
    ImageInfo info = ImageInfo.builder(Qcow2Format.NAME, virtualSize, clusterSize()).build();
    try (Qcow2Layout layout =
        new Qcow2Layout(file, header, info, CacheBudget.standard(), false, Encryption.none())) {
      List<Refcounts.Space> made = layout.preallocate();
      long end = file.size();
      for (Refcounts.Space space : made) {
        end = Math.max(end, space.offset() + space.length());
      }
      file.resize(end);
      for (Refcounts.Space space : made) {
        reserve(space);
      }
      layout.flush();
    }
  }

  private void reserve(Refcounts.Space space) throws IOException {
    if (preallocation.equals("metadata") && space.zeroed()) {
      return;
    }
    boolean reserved =
        !preallocation.equals("full")
            && (space.zeroed()
                ? file.allocate(space.offset(), space.length())
                : file.zero(space.offset(), space.length(), true));
    if (!reserved) {
      writeZeroes(space.offset(), space.length());
    }
  }

  /** The options that the caller gave, taken one by one. */
  private static final class Choices {
    private final Map<String, String> left;

    Choices(Map<String, String> options) {
      this.left = new java.util.LinkedHashMap<>(options);
    }

    private String take(String option, String otherwise) {
      String value = left.remove(option);
      return value == null ? otherwise : value;
    }

    int version() {
      String compat = take("compat", "1.1");
      return switch (compat) {
        case "0.10", "v2" -> 2;
        case "1.1", "v3" -> 3;
        default -> throw wrong("compat", compat, "0.10 or 1.1");
      };
    }

    int clusterBits() {
      String text = take("cluster_size", "65536");
      long bytes = size(text);
      if (Long.bitCount(bytes) != 1
          || bytes < 1 << Qcow2Header.MIN_CLUSTER_BITS
          || bytes > 1 << Qcow2Header.MAX_CLUSTER_BITS) {
        throw wrong("cluster_size", text, "a power of two from 512 to 2M");
      }
      return Long.numberOfTrailingZeros(bytes);
    }

    int refcountOrder(int version) {
      String text = take("refcount_bits", "16");
      long bits = size(text);
      if (Long.bitCount(bits) != 1 || bits > 64) {
        throw wrong("refcount_bits", text, "a power of two from 1 to 64");
      }
      if (version == 2 && bits != 16) {
        throw wrong("refcount_bits", text, "16 with compat=0.10");
      }
      return Long.numberOfTrailingZeros(bits);
    }

    boolean isOn(String option, int version) {
      String text = take(option, "off");
      boolean on =
          switch (text) {
            case "on", "yes", "true" -> true;
            case "off", "no", "false" -> false;
            default -> throw wrong(option, text, "on or off");
          };
      if (on && version == 2) {
        throw wrong(option, text, "off with compat=0.10");
      }
      return on;
    }

    String preallocation(boolean hasBacking) {
      String mode = take("preallocation", "off");
      if (!List.of("off", "metadata", "falloc", "full").contains(mode)) {
        throw wrong("preallocation", mode, "off, metadata, falloc or full");
      }
      if (hasBacking && !mode.equals("off")) {
        throw wrong("preallocation", mode, "off with a backing file");
      }
      return mode;
    }

    long cryptMethod() {
      String format = take("encrypt.format", "");
      return switch (format) {
        case "" -> 0;
        case LegacyAes.NAME -> LegacyAes.METHOD;
        case Luks.NAME -> Luks.METHOD;
        default -> throw wrong("encrypt.format", format, "luks or aes");
      };
    }

    void refuseOthers() {
      for (String option : left.keySet()) {
        throw new IllegalArgumentException("qcow2 has no option '" + option + "'");
      }
    }

    /** Digits, perhaps with k or M behind them. */
    private static long size(String text) {
      int digits = 0;
      while (digits < text.length() && Character.digit(text.charAt(digits), 10) >= 0) {
        digits++;
      }
      if (digits == 0 || digits > 10) {
        return 0;
      }
      long number = Long.parseLong(text.substring(0, digits));
      return switch (text.substring(digits)) {
        case "" -> number;
        case "k", "K" -> number << 10;
        case "m", "M" -> number << 20;
        default -> 0;
      };
    }

    private static IllegalArgumentException wrong(String option, String value, String expected) {
      return new IllegalArgumentException(option + " is '" + value + "', and must be " + expected);
    }
  }
}
