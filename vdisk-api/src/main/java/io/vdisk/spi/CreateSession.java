package io.vdisk.spi;

import io.vdisk.BlockDevice;
import io.vdisk.CreateOptions;
import io.vdisk.ImageInfo;
import io.vdisk.Limits;
import io.vdisk.OpenOptions;
import io.vdisk.Reference;
import io.vdisk.Secrets;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/** Makes one image, and deletes its further files if that fails. One thread. */
public final class CreateSession implements CreateContext {
  private final CreateOptions options;
  private final Deque<HostFile> created = new ArrayDeque<>();

  private CreateSession(CreateOptions options) {
    this.options = options;
  }

  /**
   * Makes an image in an empty file, or over what a block device held.
   *
   * @param file stays the caller's, who deletes it if this fails
   */
  public static void create(HostFile file, CreateOptions options) throws IOException {
    InstalledFormats formats =
        options.formats().map(InstalledFormats::of).orElseGet(InstalledFormats::find);
    ImageFormat format = formats.require(options.format(), file.name());
    CreateSession session = new CreateSession(options);
    try {
      if (options.virtualSize().isPresent()) {
        options.limits().checkVirtualSize(options.virtualSize().get(), file.name());
      }
      format.create(file.size() == 0 ? file : new UsedDevice(file), options, session);
      if (options.isDurable()) {
        file.flush();
      }
      session.close();
    } catch (IOException | RuntimeException | Error e) {
      session.delete(e);
      throw e;
    }
  }

  @Override
  public Limits limits() {
    return options.limits();
  }

  @Override
  public Secrets secrets() {
    return options.secrets();
  }

  @Override
  public HostFile file(Reference reference) throws IOException {
    HostFile file = options.references().create(reference);
    created.push(file);
    return file;
  }

  @Override
  public ImageInfo backingInfo(Reference reference) throws IOException {
    OpenOptions open = OpenOptions.readOnly().withReferences(options.references()).withoutBacking();
    if (options.formats().isPresent()) {
      open = open.withFormats(options.formats().get());
    }
    Optional<String> format = reference.openFormat();
    HostFile file = options.references().open(reference);
    try (BlockDevice device =
        OpenSession.openBelow(file, format.isPresent() ? open.withFormat(format.get()) : open)) {
      return device.info();
    }
  }

  private void close() throws IOException {
    while (!created.isEmpty()) {
      try (HostFile file = created.pop()) {
        if (options.isDurable()) {
          file.flush();
        }
      }
    }
  }

  private void delete(Throwable reason) {
    while (!created.isEmpty()) {
      HostFile file = created.pop();
      Optional<Path> path = file.path();
      try (file) {
        if (path.isPresent()) {
          Files.deleteIfExists(path.get());
        }
      } catch (IOException e) {
        reason.addSuppressed(e);
      }
    }
  }
}
