package io.vdisk.format.qcow.crypt;

import io.vdisk.FormatOption;
import io.vdisk.Secrets;
import io.vdisk.file.HostFile;
import java.io.Closeable;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A LUKS header that is being made, with a new random key in its first slot. One thread; {@link
 * #close} wipes passphrase and key.
 */
public final class NewLuks implements Closeable {
  private static final SecureRandom RANDOM = new SecureRandom();

  /** The key's digest is tried with every slot: it takes this part of a slot's time, as QEMU's. */
  private static final int DIGEST_SHARE = 8;

  private final LuksOptions options;
  private final Passphrase passphrase;

  private NewLuks(LuksOptions options, Passphrase passphrase) {
    this.options = options;
    this.passphrase = passphrase;
  }

  /** The options of creation that {@link #of} takes. */
  public static List<FormatOption> options() {
    return LuksOptions.ALL;
  }

  /**
   * Takes the options of creation, and asks for the passphrase.
   *
   * @param taken removes and returns the value of an option; null if it is not given
   */
  public static NewLuks of(UnaryOperator<@Nullable String> taken, Secrets secrets, String file)
      throws IOException {
    LuksOptions options = LuksOptions.take(taken);
    return new NewLuks(options, Passphrase.require(secrets, file, Luks.NAME));
  }

  /** Bytes of the header with all its stripes. */
  public long length() {
    return LuksHeader.length(options.cipher());
  }

  /** Writes the header, and the key into its first slot; other slots are left as they are. */
  public void write(HostFile file, long offset) throws IOException {
    long iterations = iterations();
    byte[] key = new byte[options.cipher().keyBytes()];
    RANDOM.nextBytes(key);
    try (Luks luks = new Luks(file, offset, header(key, iterations), key)) {
      file.write(luks.encode(), offset);
      int unused = luks.add(passphrase, iterations, OptionalInt.empty());
    } finally {
      Arrays.fill(key, (byte) 0);
    }
  }

  private LuksHeader header(byte[] key, long iterations) {
    byte[] salt = new byte[LuksHeader.SALT_BYTES];
    RANDOM.nextBytes(salt);
    long digestIterations = Math.max(LuksHash.MIN_ITERATIONS, iterations / DIGEST_SHARE);
    byte[] digest = options.hash().pbkdf2(key, salt, digestIterations, LuksHeader.DIGEST_BYTES);
    return new LuksHeader(
        options.cipher(),
        options.hash(),
        length() / LuksCipher.SECTOR,
        digest,
        salt,
        digestIterations,
        UUID.randomUUID().toString(),
        LuksHeader.emptySlots(options.cipher()));
  }

  /** As many as this machine does in the time that was asked for. */
  private long iterations() {
    return checked(
        options.hash().iterationsIn(options.iterationMillis(), options.cipher().keyBytes()));
  }

  /** Eight such slots must be allowed. */
  private long checked(long iterations) {
    long most = LuksHeader.MAX_COST / LuksHeader.SLOTS;
    long cost = options.hash().cost(iterations, options.cipher().keyBytes());
    if (cost + cost / DIGEST_SHARE > most) {
      throw new IllegalArgumentException(
          "encrypt.iter-time is " + options.iterationMillis() + ", which is too long here");
    }
    return iterations;
  }

  @Override
  public void close() {
    passphrase.close();
  }
}
