package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import java.io.Closeable;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * The file that a command makes. It comes into being under another name in the same folder and
 * takes its own with {@link #complete}: until then a file of that name stays untouched, and nothing
 * half written is left behind. A block device is written in place; what is not complete is no image
 * there. Both also when the process is told to end.
 */
final class TargetFile implements Closeable {
  /** The bits of a Unix mode that tell the type of a file, and that of a block device. */
  private static final int TYPE_MASK = 0xf000;

  private static final int BLOCK_DEVICE = 0x6000;

  private static final String RAW = "raw";

  /** All that Linux' host says of a full disk, without a name. */
  private static final String NO_SPACE = "No space left on device";

  /** Bytes at either end of an image that are enough to know it by. */
  private static final int HEADER = 512;

  private final Path path;
  private final Path temporary;
  private final boolean inPlace;
  private final FurtherFiles further = new FurtherFiles();
  private volatile @Nullable HostFile device;
  private final Thread hook = new Thread(this::abandon, "vdisk-abandon");
  private boolean hooked;
  private boolean made;
  private volatile boolean completed;

  private TargetFile(Path path, Path temporary, boolean inPlace) {
    this.path = path;
    this.temporary = temporary;
    this.inPlace = inPlace;
  }

  /** Prepares for a file of this name; where it is a symbolic link, for the file it leads to. */
  static TargetFile of(Path name) throws IOException {
    Path path = Files.exists(name) ? name.toRealPath() : name.toAbsolutePath();
    if (Files.isDirectory(path)) {
      throw new FileSystemException(name.toString(), null, "is a directory");
    }
    if (Files.exists(path) && !Files.isRegularFile(path)) {
      if (!isBlockDevice(path)) {
        throw new FileSystemException(
            name.toString(), null, "is neither a file nor a block device");
      }
      return new TargetFile(path, path, true);
    }
    Path folder = path.getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new NoSuchFileException(String.valueOf(folder));
    }
    if (Files.exists(path)) {
      refuseIfInUse(path);
    }
    String temporary =
        "." + path.getFileName() + "." + Long.toHexString(ThreadLocalRandom.current().nextLong());
    return new TargetFile(path, folder.resolve(temporary), false);
  }

  /** Whether there is a block device of this name. */
  static boolean isBlockDevice(Path path) throws IOException {
    return path.getFileSystem().supportedFileAttributeViews().contains("unix")
        && Files.exists(path)
        && Files.getAttribute(path, "unix:mode") instanceof Integer mode
        && (mode & TYPE_MASK) == BLOCK_DEVICE;
  }

  /** As raw every file can be opened; one that is locked, or may not be written, cannot. */
  private static void refuseIfInUse(Path path) throws IOException {
    Images.open(path, OpenOptions.readWrite().withFormat("raw")).close();
  }

  /** Whether what the target held is to be written over: a raw disk in a block device. */
  boolean isUsed(CreateOptions options) {
    return inPlace && options.format().equals(RAW);
  }

  /** Makes the image, or opens the block device. */
  BlockDevice create(CreateOptions options) throws IOException {
    if (isUsed(options)) {
      if (!options.options().isEmpty()) {
        throw new FileSystemException(
            path.toString(), null, "a block device is written as raw without options");
      }
      OpenOptions open = OpenOptions.readWrite().withFormat(RAW).withPageCache(options.pageCache());
      return Images.open(path, options.isDurable() ? open : open.withoutDurability());
    }
    if (inPlace) {
      HostFile opened = LocalFile.open(path, true, true, options.pageCache());
      device = opened;
      atExit();
      BlockDevice image = Images.create(opened, options);
      made = true;
      return image;
    }
    atExit();
    Path name = path.getFileName();
    CreateOptions named = name == null ? options : options.withFileName(name.toString());
    return Images.create(temporary, named.withReferences(further.recording(options.references())));
  }

  /** Makes the file, to be written from its beginning to its end. */
  OutputStream stream(boolean durable) throws IOException {
    if (inPlace) {
      throw new FileSystemException(
          path.toString(), null, "a block device does not take an image that is a stream");
    }
    atExit();
    return new DurableOutput(
        FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
        durable);
  }

  /** A file that is on the disk when it is closed. */
  private static final class DurableOutput extends FilterOutputStream {
    private final FileChannel channel;
    private final boolean durable;

    DurableOutput(FileChannel channel, boolean durable) {
      super(Channels.newOutputStream(channel));
      this.channel = channel;
      this.durable = durable;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
    }

    @Override
    public void close() throws IOException {
      try (channel) {
        if (durable && channel.isOpen()) {
          channel.force(true);
        }
      }
    }
  }

  private void atExit() {
    Runtime.getRuntime().addShutdownHook(hook);
    hooked = true;
  }

  /** Gives the finished image, which is closed, its name. Returns its length in bytes. */
  long complete() throws IOException {
    if (inPlace) {
      completed = true;
      return 0;
    }
    long length = Files.size(temporary);
    if (Files.exists(path)
        && path.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      Files.setPosixFilePermissions(
          temporary, Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS));
    }
    Files.move(
        temporary, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    completed = true;
    return length;
  }

  /** The same failure, with a message that names the file, and knows nothing of a temporary one. */
  IOException named(IOException failure) {
    String message = String.valueOf(failure.getMessage());
    String own = message.replace(temporary.toString(), path.toString());
    if (own.equals(NO_SPACE)) {
      own = path + ": " + own;
    }
    return own.equals(message) ? failure : new IOException(own, failure);
  }

  /** The process ends: its other threads go on working meanwhile. */
  void abandon() {
    HostFile opened = device;
    try {
      if (!inPlace) {
        deleteAll();
      } else if (opened != null && !completed) {
        opened.close(); // whoever still writes fails from here on
        try (HostFile again = LocalFile.open(path, true, false)) {
          wipe(again);
        }
      }
    } catch (IOException e) {
      System.err.println(path + " is left half written: " + e.getMessage());
    }
  }

  private static void wipe(HostFile device) throws IOException {
    device.write(ByteBuffer.allocate(HEADER), 0);
    device.write(ByteBuffer.allocate(HEADER), Math.max(0, device.size() - HEADER));
    device.flush();
  }

  /** Deletes what was not completed; a device's image is one no longer. */
  @Override
  public void close() throws IOException {
    try (HostFile opened = device) {
      if (opened != null && made && !completed) {
        wipe(opened);
      }
    } finally {
      if (hooked) {
        unhook();
      }
    }
    if (!inPlace) {
      deleteAll();
    }
  }

  /** What is not complete; the temporary name alone is gone once it is. */
  private void deleteAll() throws IOException {
    if (!completed) {
      further.delete();
    }
    Files.deleteIfExists(temporary);
  }

  private void unhook() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      hooked = false; // the process is ending, and the hook does the same
    }
  }
}
