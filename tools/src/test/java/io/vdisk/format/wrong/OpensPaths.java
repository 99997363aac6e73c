package io.vdisk.format.wrong;

import io.vdisk.BlockDevice;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.ReferencePolicy;
import io.vdisk.file.HostFile;
import io.vdisk.file.LocalFile;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Scanner;

/** A format that goes past the policy in every way: what {@code ArchitectureTest} must find. */
final class OpensPaths {
  private interface Opener {
    HostFile open(Path path) throws IOException;
  }

  InputStream stream(String name) throws IOException {
    return new FileInputStream(name);
  }

  Scanner scanner(File file) throws IOException {
    return new Scanner(file);
  }

  /** Touches {@code java.io.File}, but opens nothing. */
  File file(String name) {
    return new File(new File("/"), name);
  }

  FileChannel channelOpen(Path path) throws IOException {
    return FileChannel.open(path);
  }

  HostFile hostFile(Path path) throws IOException {
    return HostFile.of(path);
  }

  HostFile directFile(Path path) throws IOException {
    return LocalFile.openDirect(path, false, true);
  }

  HostFile localFile(Path path) throws IOException {
    return LocalFile.create(path);
  }

  BlockDevice imageOpen(Path path) throws IOException {
    return Images.open(path, OpenOptions.readOnly());
  }

  HostFile methodReference(Path path) throws IOException {
    Opener opener = LocalFile::create;
    return opener.open(path);
  }

  void delete(Path path) throws IOException {
    Files.deleteIfExists(path);
  }

  ReferencePolicy ownPolicy() {
    return reference -> LocalFile.open(Path.of(reference.name()), true);
  }
}
