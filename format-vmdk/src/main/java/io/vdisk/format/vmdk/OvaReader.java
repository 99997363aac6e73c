package io.vdisk.format.vmdk;

import io.vdisk.CorruptImageException;
import io.vdisk.OpenOptions;
import io.vdisk.SequentialSource;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.jspecify.annotations.Nullable;

/** Goes through an OVA as it arrives: the description comes first, then the files that it names. */
final class OvaReader {
  /** Bytes of a description at most. */
  private static final int MAX_OVF = 4 << 20;

  private static final String NAME = "the OVA";
  private static final int BUFFER = 64 << 10;

  private OvaReader() {}

  /** The first disk. Closing it closes {@code in}. */
  static SequentialSource open(InputStream in, OpenOptions options) throws IOException {
    TarArchiveInputStream archive = new TarArchiveInputStream(in);
    boolean done = false;
    try {
      SequentialSource source = find(archive, options);
      done = true;
      return source;
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new CorruptImageException(NAME + " is no archive: " + e.getMessage(), e);
    } finally {
      if (!done) {
        archive.close();
      }
    }
  }

  private static SequentialSource find(TarArchiveInputStream archive, OpenOptions options)
      throws IOException {
    @Nullable OvfDisk disk = null;
    for (TarArchiveEntry entry; (entry = archive.getNextEntry()) != null; ) {
      String name = entry.getName();
      if (disk == null) {
        if (!name.endsWith(".ovf")) {
          throw new CorruptImageException(
              NAME + " begins with '" + name + "', and not with its description");
        }
        byte[] text = archive.readNBytes(MAX_OVF + 1);
        if (text.length > MAX_OVF) {
          throw new CorruptImageException(NAME + ": its description is longer than " + MAX_OVF);
        }
        disk = OvfDisk.first(text, NAME);
      } else if (name.equals(disk.href())) {
        InputStream bytes = new BufferedInputStream(archive, BUFFER);
        return new StreamReader(
            disk.isGzip() ? new GZIPInputStream(bytes, BUFFER) : bytes, name, options);
      }
    }
    throw new CorruptImageException(
        disk == null ? NAME + " is empty" : NAME + " does not hold its disk " + disk.href());
  }
}
