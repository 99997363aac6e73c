package io.vdisk.tools;

import io.vdisk.backend.tap.DiskInfo;
import io.vdisk.backend.tap.SharedFileListener;
import io.vdisk.backend.tap.TapTransport;
import io.vdisk.backend.tap.control.BlktapDevices;
import io.vdisk.backend.tap.control.ControlledDisk;
import io.vdisk.backend.tap.control.TapDisks;
import io.vdisk.backend.tap.disk.DiskException;
import io.vdisk.backend.tap.disk.LastClosings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Devices of blktap 1 where no kernel has them, for programs in processes of their own. A minor is
 * a folder, which tells whose it is; its device is a socket in that, to which a guest comes with a
 * ring in a file.
 */
final class PlayedBlktap implements BlktapDevices {
  private final Path folder;
  private final Map<Integer, SharedFileListener> served = new ConcurrentHashMap<>();

  private PlayedBlktap(Path folder) {
    this.folder = folder;
  }

  /** blktapctrl or tapdisk, the folder, and the words of the program. */
  public static void main(String[] args) {
    PlayedBlktap devices = new PlayedBlktap(Path.of(args[1]));
    List<String> words = Arrays.asList(args).subList(2, args.length);
    if (args[0].equals("blktapctrl")) {
      Blktapctrl.main(words, devices);
    } else {
      Tapdisk.main(words, new Tapdisk.Surroundings(TapDisks::new, devices, LastClosings.PATIENCE));
    }
  }

  /** Where a guest finds its disk. */
  static Path socket(Path folder, int minor) {
    return folder.resolve("blktap" + minor).resolve("s");
  }

  private Path place(int minor) {
    return folder.resolve("blktap" + minor);
  }

  @Override
  public void check() {}

  @Override
  public int create(int domain, int device) throws DiskException {
    int minor = 1;
    while (Files.exists(place(minor))) {
      minor++;
    }
    try {
      Files.createDirectory(place(minor));
      Files.writeString(place(minor).resolve("guest"), domain + "/" + device);
      return minor;
    } catch (IOException e) {
      throw DiskException.of(e);
    }
  }

  @Override
  public void free(int minor) throws DiskException {
    try {
      Files.delete(place(minor).resolve("guest"));
    } catch (IOException e) {
      throw DiskException.of(e);
    }
  }

  @Override
  public void connect(int minor, ControlledDisk disk) throws DiskException {
    SharedFileListener.Disk guests =
        new SharedFileListener.Disk() {
          @Override
          public DiskInfo info() {
            return disk.info();
          }

          @Override
          public void serve(TapTransport guest) throws IOException {
            var unused = disk.serve(guest);
          }
        };
    try {
      served.put(minor, SharedFileListener.open(socket(folder, minor), guests));
    } catch (IOException e) {
      throw DiskException.of(e);
    }
  }

  @Override
  public void disconnect(int minor) throws DiskException {
    try {
      served.remove(minor).close();
    } catch (IOException e) {
      throw DiskException.of(e);
    }
  }
}
