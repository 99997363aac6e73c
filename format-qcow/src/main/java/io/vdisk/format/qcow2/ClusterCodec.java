package io.vdisk.format.qcow2;

import io.vdisk.UnsupportedImageException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** Compresses clusters and back, in the way that an image's header names. Thread-safe. */
interface ClusterCodec extends Closeable {
  /** The number of zstd, whose codec must not be loaded where its library is not. */
  int ZSTD = 1;

  /** The compression types, by their number in the header. */
  List<String> NAMES = List.of("zlib", "zstd");

  /**
   * Fills {@code unit} from its position to its limit.
   *
   * @param bytes the compressed bytes, perhaps with others behind them
   * @return false if they are broken, or do not fill it
   */
  boolean decompress(ByteBuffer bytes, ByteBuffer unit) throws IOException;

  /**
   * Compresses {@code unit} from its position to its limit.
   *
   * @return bytes put into {@code target}; 0 if there would be more than {@code most}
   */
  int compress(ByteBuffer unit, ByteBuffer target, int most) throws IOException;

  @Override
  void close();

  /**
   * The codec of a compression type.
   *
   * @throws UnsupportedImageException if there is none, or its library is missing
   */
  static ClusterCodec of(int type, String file) throws UnsupportedImageException {
    return switch (type) {
      case ZlibCodec.TYPE -> new ZlibCodec();
      case ZSTD -> {
        if (!hasZstd()) {
          throw new UnsupportedImageException(
              file
                  + ": its compressed clusters are zstd, which needs the library"
                  + " com.github.luben:zstd-jni; add it");
        }
        yield new ZstdCodec();
      }
      default ->
          throw new UnsupportedImageException(
              file + ": compression type " + Integer.toUnsignedString(type));
    };
  }

  private static boolean hasZstd() {
    try {
      Class<?> unused =
          Class.forName("com.github.luben.zstd.Zstd", false, ClusterCodec.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }
}
