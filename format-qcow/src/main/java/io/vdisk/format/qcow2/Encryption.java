package io.vdisk.format.qcow2;

import io.vdisk.feature.KeySlots;
import io.vdisk.file.HostFile;
import io.vdisk.format.qcow.crypt.LegacyAes;
import io.vdisk.format.qcow.crypt.Luks;
import io.vdisk.spi.Exclusive;
import io.vdisk.spi.OpenContext;
import io.vdisk.spi.SectorCipher;
import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * How the data of one open image is enciphered, if it is. Closing it wipes the keys, unless {@link
 * #keep} was called, which gives it to the layout.
 */
final class Encryption implements Closeable {
  private final @Nullable SectorCipher cipher;
  private final @Nullable Luks luks;
  private final boolean writable;
  private boolean isKept;

  private Encryption(@Nullable SectorCipher cipher, @Nullable Luks luks, boolean writable) {
    this.cipher = cipher;
    this.luks = luks;
    this.writable = writable;
  }

  /** Data lies as it is. */
  static Encryption none() {
    return new Encryption(null, null, false);
  }

  /** Who only looks at metadata needs no passphrase. */
  static Encryption of(Qcow2Header header, HostFile file, OpenContext context) throws IOException {
    boolean locked = context.options().isWithoutBacking() && !context.writable();
    if (header.cryptMethod == LegacyAes.METHOD) {
      SectorCipher cipher =
          locked ? LegacyAes.locked(file.name()) : LegacyAes.unlock(context.secrets(), file.name());
      return new Encryption(cipher, null, context.writable());
    }
    if (header.cryptMethod == Luks.METHOD) {
      Luks luks = Luks.read(file, header.luksOffset, header.luksLength);
      SectorCipher cipher = locked ? luks.locked() : luks.unlock(context.secrets());
      return new Encryption(cipher, luks, context.writable());
    }
    return none();
  }

  Optional<SectorCipher> cipher() {
    return Optional.ofNullable(cipher);
  }

  /** For {@code info}. */
  Map<String, Object> describe() {
    return luks == null ? Map.of("format", LegacyAes.NAME) : luks.describe();
  }

  /** Lets the next {@link #close} pass: its new owner closes it. */
  void keep() {
    isKept = true;
  }

  /** Changes of the key slots, alone on the device. */
  Optional<KeySlots> keySlots(Exclusive exclusive, Marking marking) {
    return luks == null
        ? Optional.empty()
        : Optional.of(new Slots(luks, exclusive, marking, writable));
  }

  /** Makes durable what the image must say before it is changed. */
  @FunctionalInterface
  interface Marking {
    void mark() throws IOException;
  }

  @Override
  public void close() throws IOException {
    if (isKept) {
      isKept = false;
      return;
    }
    if (luks != null) {
      luks.close();
    }
    if (cipher instanceof Closeable keys) {
      keys.close();
    }
  }

  /** See {@link KeySlots}. */
  private record Slots(Luks luks, Exclusive exclusive, Marking marking, boolean writable)
      implements KeySlots {
    @Override
    public List<Integer> used() {
      return luks.used();
    }

    @Override
    public int capacity() {
      return Luks.capacity();
    }

    @Override
    public int add(char[] passphrase) throws IOException {
      return add(passphrase, OptionalInt.empty(), OptionalLong.empty());
    }

    @Override
    public int add(char[] passphrase, OptionalInt slot, OptionalLong millis) throws IOException {
      checkWritable();
      return exclusive.call(
          () -> {
            marking.mark();
            return luks.add(passphrase, slot, millis);
          });
    }

    @Override
    public List<Integer> openedBy(char[] passphrase) throws IOException {
      return luks.openedBy(passphrase);
    }

    @Override
    public void erase(int slot) throws IOException {
      checkWritable();
      int unused =
          exclusive.<Integer>call(
              () -> {
                marking.mark();
                luks.erase(slot);
                return slot;
              });
    }

    private void checkWritable() {
      if (!writable) {
        throw new IllegalStateException("the image is open for reading alone");
      }
    }
  }
}
