package io.vdisk.tools;

import io.vdisk.feature.KeySlots;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What {@code amend -o encrypt.…} does to the key slots of an image, as qemu-img understands it.
 */
final class KeyAmendment {
  static final String PREFIX = "encrypt.";

  private static final List<String> KNOWN =
      List.of("state", "new-secret", "old-secret", "keyslot", "iter-time");

  private final Map<String, String> options;
  private final SecretObjects secrets;

  KeyAmendment(Map<String, String> options, SecretObjects secrets) throws UsageException {
    this.options = options;
    this.secrets = secrets;
    for (String option : options.keySet()) {
      if (!KNOWN.contains(option.substring(PREFIX.length()))) {
        throw new UsageException(option + " cannot be amended");
      }
    }
  }

  private Optional<String> option(String name) {
    return Optional.ofNullable(options.get(PREFIX + name));
  }

  void applyTo(KeySlots slots) throws IOException, UsageException {
    String state = option("state").orElse("");
    switch (state) {
      case "active" -> add(slots);
      case "inactive" -> erase(slots);
      default ->
          throw new UsageException("encrypt.state is active or inactive, not '" + state + "'");
    }
  }

  private void add(KeySlots slots) throws IOException, UsageException {
    if (option("new-secret").isEmpty() || option("old-secret").isPresent()) {
      throw new UsageException("encrypt.state=active takes encrypt.new-secret, and no old one");
    }
    OptionalInt slot = slot(slots);
    if (slot.isPresent() && slots.used().contains(slot.getAsInt())) {
      throw new UsageException("key slot " + slot.getAsInt() + " is in use: erase it first");
    }
    char[] passphrase = secrets.characters(option("new-secret").get());
    try {
      int unused = slots.add(passphrase, slot, millis());
    } finally {
      Arrays.fill(passphrase, '\0');
    }
  }

  private void erase(KeySlots slots) throws IOException, UsageException {
    Optional<String> old = option("old-secret");
    OptionalInt slot = slot(slots);
    if (option("new-secret").isPresent() || option("iter-time").isPresent()) {
      throw new UsageException("encrypt.state=inactive takes no new passphrase");
    }
    if (old.isPresent() == slot.isPresent()) {
      throw new UsageException(
          "encrypt.state=inactive takes either encrypt.old-secret or encrypt.keyslot");
    }
    List<Integer> erased = slot.isPresent() ? List.of(slot.getAsInt()) : matching(slots, old.get());
    if (erased.containsAll(slots.used())) {
      throw new UsageException("no key slot would be left, and the disk lost for ever");
    }
    for (int each : erased) {
      slots.erase(each);
    }
  }

  private List<Integer> matching(KeySlots slots, String secret) throws IOException, UsageException {
    char[] passphrase = secrets.characters(secret);
    try {
      List<Integer> matching = slots.openedBy(passphrase);
      if (matching.isEmpty()) {
        throw new UsageException("the secret " + secret + " opens no key slot");
      }
      return matching;
    } finally {
      Arrays.fill(passphrase, '\0');
    }
  }

  private OptionalInt slot(KeySlots slots) throws UsageException {
    long number = number("keyslot", slots.capacity() - 1);
    return number < 0 ? OptionalInt.empty() : OptionalInt.of((int) number);
  }

  private OptionalLong millis() throws UsageException {
    long number = number("iter-time", Integer.MAX_VALUE);
    return number < 0 ? OptionalLong.empty() : OptionalLong.of(number);
  }

  /** Below 0 if it is not given. */
  private long number(String name, long most) throws UsageException {
    @Nullable String text = options.get(PREFIX + name);
    if (text == null) {
      return -1;
    }
    try {
      long number = Long.parseLong(text);
      if (number >= 0 && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      throw new UsageException(PREFIX + name + " is a number, not '" + text + "'");
    }
    throw new UsageException(PREFIX + name + " is from 0 to " + most + ", not " + text);
  }
}
