package io.vdisk.testkit.toy;

import io.vdisk.CorruptImageException;
import io.vdisk.spi.Allocation;
import io.vdisk.spi.EncodedWriting;
import io.vdisk.spi.Mapping;
import io.vdisk.spi.SectorCipher;
import io.vdisk.spi.codec.RawDeflate;
import io.vdisk.testkit.toy.ToyAllocation.Space;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.SplittableRandom;

/** See {@link EncryptedFormat}. */
final class EncryptedLayout extends TableLayout implements EncodedWriting {
  private final SectorCipher cipher;
  private final RawDeflate deflate = new RawDeflate();

  EncryptedLayout(ToyFormat.Parts parts) throws IOException {
    super(parts, parts.file(), parts.file(), null);
    this.cipher = new Cipher(header.words().get(EncryptedFormat.KEY));
  }

  /** Each sector is combined with random bytes whose seed is the key and the guest offset. */
  private record Cipher(long key) implements SectorCipher {
    @Override
    public int sectorSize() {
      return SECTOR;
    }

    @Override
    public void decrypt(ByteBuffer data, long offset, long fileOffset) {
      ByteBuffer plain = data.duplicate();
      encrypt(data, plain, offset, fileOffset);
    }

    @Override
    public void encrypt(ByteBuffer plain, ByteBuffer target, long offset, long fileOffset) {
      if (offset % SECTOR != 0 || fileOffset % SECTOR != 0 || plain.remaining() % SECTOR != 0) {
        throw new IllegalArgumentException(plain.remaining() + " bytes at " + offset);
      }
      for (long sector = offset / SECTOR; plain.hasRemaining(); sector++) {
        SplittableRandom stream = new SplittableRandom(key ^ sector);
        for (int i = 0; i < SECTOR / Long.BYTES; i++) {
          target.putLong(plain.getLong() ^ stream.nextLong());
        }
      }
    }
  }

  @Override
  public Optional<SectorCipher> cipher() {
    return Optional.of(cipher);
  }

  @Override
  public void decode(Mapping encoded, ByteBuffer unit) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(encoded.encodedLength());
    data.readPadded(bytes, encoded.fileOffset());
    if (!deflate.inflate(bytes.flip(), unit)) {
      throw new CorruptImageException(
          file.name() + ": the compressed unit at " + encoded.fileOffset() + " is broken");
    }
  }

  @Override
  public int encode(ByteBuffer unit, ByteBuffer target) {
    return deflate.deflate(unit, target, UNIT - SECTOR);
  }

  @Override
  public Allocation allocateEncoded(long offset, int encodedLength) throws IOException {
    long bytes = ToyFormat.ceilDiv(encodedLength, SECTOR) * SECTOR;
    return new Encoded(take(bytes, bytes), offset, encodedLength);
  }

  /** Space for the compressed bytes of one unit. */
  private final class Encoded extends Units {
    private final int encodedLength;

    Encoded(Space space, long start, int encodedLength) {
      super(space, start, start, UNIT);
      this.encodedLength = encodedLength;
    }

    @Override
    ToyEntry entry(int i) {
      return ToyEntry.encoded(spaceOffset, encodedLength);
    }

    @Override
    public long length() {
      return UNIT;
    }

    @Override
    public long tail() {
      return 0;
    }
  }

  @Override
  public void close() {
    deflate.close();
  }
}
