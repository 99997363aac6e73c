package io.vdisk.format.qcow2;

import io.vdisk.Progress;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.Amending;
import io.vdisk.format.qcow2.HeaderExtension.Feature;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** Options of creation that can be changed afterwards: those of {@code qemu-img amend}. */
final class Qcow2Amending implements Amending {
  private final Alterations alterations;
  private final Metadata metadata;

  Qcow2Amending(Alterations alterations) {
    this.alterations = alterations;
    this.metadata = alterations.metadata;
  }

  @Override
  public void amend(Map<String, String> options, Progress progress) throws IOException {
    Map<Qcow2Option, String> left = new LinkedHashMap<>();
    options.forEach((name, value) -> left.put(changeable(name), value));
    String compat = left.remove(Qcow2Option.COMPAT);
    Integer version = compat == null ? null : Qcow2Options.version(compat);
    if (version != null && version == 3) {
      alterations.alter(this::upgrade);
    }
    for (Map.Entry<Qcow2Option, String> option : left.entrySet()) {
      alterations.alter(() -> amend(option.getKey(), option.getValue(), progress));
    }
    if (version != null && version == 2) {
      alterations.alter(this::downgrade);
    }
  }

  private static Qcow2Option changeable(String name) {
    Qcow2Option option = Qcow2Option.named(name);
    if (!Qcow2Option.CHANGEABLE.contains(option)) {
      throw new IllegalArgumentException("the option '" + option + "' cannot be changed");
    }
    return option;
  }

  private void amend(Qcow2Option option, String value, Progress progress) throws IOException {
    Qcow2Header header = metadata.header();
    switch (option) {
      case LAZY_REFCOUNTS -> setLazy(Qcow2Options.isOn(option, value));
      case REFCOUNT_BITS -> {
        int order = Qcow2Options.refcountOrder(value, header.version);
        if (order != header.refcountOrder) {
          setRefcountOrder(order, progress);
        }
      }
      case DATA_FILE -> setDataFile(value);
      case DATA_FILE_RAW -> setDataFileRaw(Qcow2Options.isOn(option, value));
      default -> throw new AssertionError(option);
    }
  }

  private HeaderUpdate update() throws IOException {
    return new HeaderUpdate(metadata.file, metadata.header());
  }

  private void setLazy(boolean on) throws IOException {
    Qcow2Header header = metadata.header();
    if (on && header.version < 3) {
      throw new IllegalArgumentException("lazy_refcounts must be off with compat=0.10");
    }
    long mask = Feature.LAZY_REFCOUNTS.mask();
    if (header.version >= 3) {
      long compatible = on ? header.compatible | mask : header.compatible & ~mask;
      update().set(Qcow2Header.COMPATIBLE_FEATURES, compatible).write();
    }
  }

  private void setDataFile(String name) throws IOException {
    if (!metadata.header().hasDataFile()) {
      throw new UnsupportedImageException(
          metadata.file.name() + ": has no data file, and cannot get one");
    }
    update().put(HeaderExtension.text(HeaderExtension.DATA_FILE, name)).write();
  }

  private void setDataFileRaw(boolean on) throws IOException {
    Qcow2Header header = metadata.header();
    if (on && !header.isDataFileRaw()) {
      throw new UnsupportedImageException(
          metadata.file.name() + ": its data file cannot become a raw disk");
    }
    if (!on && header.isDataFileRaw()) {
      long autoclear = header.autoclear & ~Feature.RAW_DATA_FILE.mask();
      update().set(Qcow2Header.AUTOCLEAR_FEATURES, autoclear).write();
    }
  }

  private void setRefcountOrder(int order, Progress progress) throws IOException {
    Qcow2Checker checker = new Qcow2Checker(metadata.file, metadata.header(), progress);
    checker.requireSound();
    new RefcountRebuild(checker.image, checker.counter, new RefcountWidth(order)).rebuild();
  }

  private void upgrade() throws IOException {
    if (metadata.header().version < 3) {
      update().version(3).write();
    }
  }

  private void downgrade() throws IOException {
    Qcow2Header header = metadata.header();
    if (header.version < 3) {
      return;
    }
    if (header.incompatible != 0 || header.bitmaps.isPresent()) {
      throw new UnsupportedImageException(
          metadata.file.name() + ": has features that version 2 does not know");
    }
    if (header.refcountOrder != Qcow2Header.VERSION_2_REFCOUNT_ORDER) {
      throw new UnsupportedImageException(
          metadata.file.name()
              + ": has refcounts of "
              + header.refcountBits()
              + " bits, version 2 only 16");
    }
    new ZeroClusters(alterations).expand();
    update().version(2).write();
  }
}
