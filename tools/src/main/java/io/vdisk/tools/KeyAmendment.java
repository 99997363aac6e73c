package io.vdisk.tools;

import io.vdisk.FormatOption;
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

  private final Map<String, String> options;
  private final SecretObjects secrets;

  KeyAmendment(Map<String, String> options, SecretObjects secrets) throws UsageException {
    this.options = options;
    this.secrets = secrets;
    for (String option : options.keySet()) {
      if (FormatOption.KEY_SLOTS.stream().noneMatch(known -> known.name().equals(option))) {
        throw new UsageException(option + " cannot be amended");
      }
    }
  }

  private Optional<String> value(FormatOption option) {
    return Optional.ofNullable(options.get(option.name()));
  }

  void applyTo(KeySlots slots) throws IOException, UsageException {
    String state = value(FormatOption.KEY_STATE).orElse("");
    switch (state) {
      case "active" -> add(slots);
      case "inactive" -> erase(slots);
      default ->
          throw new UsageException("encrypt.state is active or inactive, not '" + state + "'");
    }
  }

  private void add(KeySlots slots) throws IOException, UsageException {
    if (value(FormatOption.NEW_SECRET).isEmpty() || value(FormatOption.OLD_SECRET).isPresent()) {
      throw new UsageException("encrypt.state=active takes encrypt.new-secret, and no old one");
    }
    OptionalInt slot = slot(slots);
    if (slot.isPresent() && slots.used().contains(slot.getAsInt())) {
      throw new UsageException("key slot " + slot.getAsInt() + " is in use: erase it first");
    }
    char[] passphrase = secrets.characters(value(FormatOption.NEW_SECRET).get());
    try {
      int unused = slots.add(passphrase, slot, millis());
    } finally {
      Arrays.fill(passphrase, '\0');
    }
  }

  private void erase(KeySlots slots) throws IOException, UsageException {
    Optional<String> old = value(FormatOption.OLD_SECRET);
    OptionalInt slot = slot(slots);
    if (value(FormatOption.NEW_SECRET).isPresent()
        || value(FormatOption.ITERATION_TIME).isPresent()) {
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
    long number = number(FormatOption.KEY_SLOT, slots.capacity() - 1);
    return number < 0 ? OptionalInt.empty() : OptionalInt.of((int) number);
  }

  private OptionalLong millis() throws UsageException {
    long number = number(FormatOption.ITERATION_TIME, Integer.MAX_VALUE);
    return number < 0 ? OptionalLong.empty() : OptionalLong.of(number);
  }

  /** Below 0 if it is not given. */
  private long number(FormatOption option, long most) throws UsageException {
    @Nullable String text = options.get(option.name());
    if (text == null) {
      return -1;
    }
    try {
      long number = Long.parseLong(text);
      if (number >= 0 && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      throw new UsageException(option.name() + " is a number, not '" + text + "'");
    }
    throw new UsageException(option.name() + " is from 0 to " + most + ", not " + text);
  }
}
