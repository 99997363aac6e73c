package io.vdisk.bench.compare;

import io.vdisk.bench.input.Converted;
import io.vdisk.bench.input.EmptyImage;
import io.vdisk.bench.input.FileSystem;
import io.vdisk.bench.input.Input;
import io.vdisk.bench.input.SparseDisk;
import java.util.ArrayList;
import java.util.List;

/** All cases. A further peer or format is a few lines here. */
final class Catalogue {
  /** What makes qemu-img faster or slower, by case: no one setting is best everywhere. */
  private static final List<String> SETTINGS = List.of("", " -m 1", " -W -m 8", " -W -m 16");

  private static final String SECRET = " --object secret,id=s,data=vdisk";
  private static final String LUKS = " -o encrypt.format=luks,encrypt.key-secret=s";

  /** QEMU takes long for it. */
  private static final int VMDK_PAIRS = 3;

  private static final int DOUBLE = 2;
  private static final int FOURFOLD = 4;

  private final Scale scale;
  private final Input disk;
  private final Input image;

  private Catalogue(Scale scale) {
    this.scale = scale;
    disk = disk(1);
    image = image(1);
  }

  static List<Case> of(Scale scale) {
    Catalogue catalogue = new Catalogue(scale);
    List<Case> all = new ArrayList<>();
    for (Durability durability : Durability.values()) {
      all.addAll(catalogue.conversions(durability));
    }
    all.addAll(catalogue.otherFormats());
    all.addAll(catalogue.compressed());
    all.addAll(catalogue.inLittleMemory());
    all.addAll(catalogue.withoutData());
    return all;
  }

  /** Like is compared with like: both sides flush at the end, or neither does. */
  private enum Durability {
    FLUSHED("", "with a flush at the end", "", " -t writeback"),
    UNFLUSHED("-unsafe", "without a flush", " -t unsafe", "");

    private final String suffix;
    private final String text;
    private final String ours;
    private final String qemu;

    Durability(String suffix, String text, String ours, String qemu) {
      this.suffix = suffix;
      this.text = text;
      this.ours = ours;
      this.qemu = qemu;
    }

    Case convert(String name, String title, String from, String to) {
      String files = " -f " + from + " -O " + to + " {in} {out}";
      return Case.of(
              name + suffix,
              title + ", " + text,
              "vdisk convert" + ours + files,
              atEverySetting("qemu-img convert", qemu + files))
          .making(Target.copy(to));
    }
  }

  private static List<String> atEverySetting(String command, String rest) {
    return SETTINGS.stream().map(setting -> command + setting + rest).toList();
  }

  private Input disk(int times) {
    return new FileSystem(scale.small() * times);
  }

  private Input image(int times) {
    return new Converted(disk(times), "qcow2", "");
  }

  private List<Case> conversions(Durability durability) {
    Case encode = durability.convert("raw-to-qcow2", "raw to qcow2", "raw", "qcow2");
    Case decode = durability.convert("qcow2-to-raw", "qcow2 to raw", "qcow2", "raw");
    return List.of(
        encode.on(disk),
        decode.on(image),
        growth(encode, "double", disk, disk(DOUBLE)),
        growth(decode, "double", image, image(DOUBLE)),
        growth(encode, "slope", disk, disk(FOURFOLD)),
        growth(decode, "slope", image, image(FOURFOLD)),
        durability
            .convert("sparse-to-qcow2", "nearly empty raw to qcow2", "raw", "qcow2")
            .on(new SparseDisk(scale.sparse()))
            .asShort());
  }

  /** What further data costs, without the start of the program. */
  private static Case growth(Case of, String kind, Input small, Input large) {
    return of.named(of.name() + "-" + kind, of.title() + ", " + kind).on(small, large);
  }

  /** The formats that others made, by QEMU's names. */
  private List<Case> otherFormats() {
    List<Case> cases = new ArrayList<>();
    Case vmdk = Durability.FLUSHED.convert("raw-to-vmdk", "raw to sparse vmdk", "raw", "vmdk");
    cases.add(vmdk.on(disk).withMostPairs(VMDK_PAIRS));
    Case fromVmdk = Durability.FLUSHED.convert("vmdk-to-qcow2", "vmdk to qcow2", "vmdk", "qcow2");
    cases.add(fromVmdk.on(new Converted(disk, "vmdk", "")));
    String stream = " -f raw -O vmdk -o subformat=streamOptimized {in} {out}";
    cases.add(
        Case.of(
                "raw-to-stream",
                "raw to stream-optimized vmdk",
                "vdisk convert" + stream,
                List.of("qemu-img convert -t writeback" + stream))
            .on(new FileSystem(scale.compressed()))
            .making(Target.copy("vmdk"))
            .withMostPairs(VMDK_PAIRS));
    for (String format : List.of("vpc", "vhdx")) {
      Case encode =
          Durability.FLUSHED.convert("raw-to-" + format, "raw to " + format, "raw", format);
      Case decode =
          Durability.FLUSHED.convert(format + "-to-raw", format + " to raw", format, "raw");
      cases.add(encode.on(disk));
      String exactSize = format.equals("vpc") ? "-o force_size=on" : "";
      cases.add(decode.on(new Converted(disk, format, exactSize)));
    }
    return cases;
  }

  private List<Case> compressed() {
    String files = " -c -f raw -O qcow2 {in} {out}";
    String zstd = " -c -f raw -O qcow2 -o compression_type=zstd {in} {out}";
    String luks =
        SECRET + " --image-opts -O raw driver=qcow2,encrypt.key-secret=s,file.filename={in} {out}";
    return List.of(
        Case.of(
                "zstd",
                "raw to qcow2 compressed by zstd",
                "vdisk convert" + zstd,
                atEverySetting("qemu-img convert", " -t writeback" + zstd))
            .on(new FileSystem(scale.compressed()))
            .making(Target.copy("qcow2")),
        Case.of(
                "luks-to-raw",
                "qcow2 encrypted by LUKS (AES-256-XTS) to raw",
                "vdisk convert" + luks,
                atEverySetting("qemu-img convert", " -t writeback" + luks))
            .on(new Converted(new FileSystem(scale.compressed()), "qcow2", SECRET.strip() + LUKS))
            .making(Target.copy("raw")),
        Case.of(
                "zlib",
                "raw to compressed qcow2",
                "vdisk convert" + files,
                atEverySetting("qemu-img convert", " -t writeback" + files))
            .on(new FileSystem(scale.compressed()))
            .making(Target.copy("qcow2")),
        Case.of(
                "zlib-to-raw",
                "compressed qcow2 to raw",
                "vdisk convert -f qcow2 -O raw {in} {out}",
                atEverySetting("qemu-img convert", " -t writeback -f qcow2 -O raw {in} {out}"))
            .on(new Converted(new FileSystem(scale.compressed()), "qcow2", "-c"))
            .making(Target.copy("raw")),
        // img2qcow always flushes. QEMU that flushes does so after each table: many minutes, so
        // here it does not.
        Case.of(
                "raw-to-qcow",
                "raw to qcow of version 1, ours with a flush at the end",
                "img2qcow {out} {in}",
                List.of("qemu-img convert -f raw -O qcow {in} {out}"))
            .on(disk)
            .making(Target.copy("qcow"))
            .withMostPairs(2));
  }

  /** In a heap of 64 MiB. */
  private List<Case> inLittleMemory() {
    String options = "-Xmx64m";
    return conversions(Durability.FLUSHED).stream()
        .filter(work -> !work.isSlope() && !work.isShort())
        .map(work -> work.named(work.name() + "-64m", work.title() + ", " + options))
        .map(work -> work.withJavaOptions(options))
        .toList();
  }

  private List<Case> withoutData() {
    Input tables = new EmptyImage(scale.tables());
    long gib = 1L << 30;
    String large = scale.tables() + "G";
    return List.of(
        Case.of("info", "what an image is", "vdisk info {in}", List.of("qemu-img info {in}"))
            .on(image)
            .asShort(),
        Case.of(
                "create",
                "a new qcow of version 1",
                "qcow-create 1024 {out}",
                List.of("qemu-img create -q -f qcow {out} 1G"))
            .making(Target.empty("qcow", gib))
            .asShort(),
        Case.of(
                "check-large",
                "check of an image with " + large + " of tables",
                "vdisk check -f qcow2 {in}",
                List.of("qemu-img check -f qcow2 {in}"))
            .on(tables),
        Case.of(
                "create-large",
                "a new qcow2 with tables for " + large,
                "vdisk create -q -f qcow2 -o preallocation=metadata {out} " + large,
                List.of("qemu-img create -q -f qcow2 -o preallocation=metadata {out} " + large))
            .making(Target.empty("qcow2", scale.tables() * gib)));
  }
}
