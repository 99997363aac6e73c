package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.UnsupportedImageException;
import io.vdisk.feature.Snapshots;
import java.io.IOException;
import java.util.Optional;

/**
 * The snapshot that a word of the command line means: an id or a name, or {@code
 * snapshot.id=ID,snapshot.name=NAME}, of which both must fit.
 */
final class NamedSnapshot {
  private static final String ID = "snapshot.id=";
  private static final String NAME = "snapshot.name=";

  private NamedSnapshot() {}

  /**
   * What a command reads: the disk as it was in the snapshot, or {@code device} itself where none
   * is named. To be closed before {@code device}, which may be the same.
   */
  static BlockDevice of(BlockDevice device, Optional<String> word, String file)
      throws IOException, UsageException {
    if (word.isEmpty()) {
      return device;
    }
    Snapshots snapshots = feature(device, file);
    return snapshots.open(find(snapshots, word.get(), file));
  }

  static Snapshots feature(BlockDevice device, String file) throws IOException {
    Optional<Snapshots> snapshots = device.feature(Snapshots.class);
    if (snapshots.isEmpty()) {
      throw new UnsupportedImageException(
          file + ": " + device.info().format() + " images have no snapshots");
    }
    return snapshots.get();
  }

  /** The first of this id, otherwise the first of this name. */
  static Snapshots.Snapshot find(Snapshots snapshots, String word, String file)
      throws IOException, UsageException {
    Optional<String> id = Optional.empty();
    Optional<String> name = Optional.empty();
    if (word.startsWith("snapshot.")) {
      for (String part : ImageOptions.split(word)) {
        if (part.startsWith(ID)) {
          id = Optional.of(part.substring(ID.length()));
        } else if (part.startsWith(NAME)) {
          name = Optional.of(part.substring(NAME.length()));
        } else {
          throw new UsageException("a snapshot is known by its id and name, not by '" + part + "'");
        }
      }
      return find(snapshots, id, name, word, file);
    }
    for (Snapshots.Snapshot snapshot : snapshots.list()) {
      if (snapshot.id().equals(word)) {
        return snapshot;
      }
    }
    return named(snapshots, word, file);
  }

  /** The first of this name. */
  static Snapshots.Snapshot named(Snapshots snapshots, String name, String file)
      throws IOException {
    return find(snapshots, Optional.empty(), Optional.of(name), name, file);
  }

  private static Snapshots.Snapshot find(
      Snapshots snapshots, Optional<String> id, Optional<String> name, String word, String file)
      throws IOException {
    for (Snapshots.Snapshot snapshot : snapshots.list()) {
      if ((id.isEmpty() || id.get().equals(snapshot.id()))
          && (name.isEmpty() || name.get().equals(snapshot.name()))) {
        return snapshot;
      }
    }
    throw new IOException(file + ": there is no snapshot '" + word + "'");
  }
}
