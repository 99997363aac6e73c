package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.feature.KeySlots;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KeyAmendmentTest {
  /** Slots that remember their passphrases. */
  private static final class OpenSlots implements KeySlots {
    final Map<Integer, String> slots = new LinkedHashMap<>(Map.of(0, "first"));
    OptionalLong millis = OptionalLong.empty();

    @Override
    public List<Integer> used() {
      return List.copyOf(slots.keySet());
    }

    @Override
    public int capacity() {
      return 8;
    }

    @Override
    public int add(char[] passphrase) {
      slots.put(slots.size(), new String(passphrase));
      return slots.size() - 1;
    }

    @Override
    public int add(char[] passphrase, OptionalInt slot, OptionalLong time) {
      millis = time;
      slots.put(slot.orElse(slots.size()), new String(passphrase));
      return slot.orElse(slots.size() - 1);
    }

    @Override
    public List<Integer> openedBy(char[] passphrase) {
      List<Integer> opened = new ArrayList<>();
      slots.forEach(
          (slot, text) -> {
            if (text.equals(new String(passphrase))) {
              opened.add(slot);
            }
          });
      return opened;
    }

    @Override
    public void erase(int slot) {
      slots.remove(slot);
    }
  }

  private final OpenSlots slots = new OpenSlots();

  private void amend(String options) throws IOException, UsageException {
    Map<String, String> named = new LinkedHashMap<>();
    for (String option : options.split(",")) {
      int equals = option.indexOf('=');
      named.put("encrypt." + option.substring(0, equals), option.substring(equals + 1));
    }
    try (SecretObjects secrets =
        SecretObjects.of(
            List.of("secret,id=a,data=first", "secret,id=b,data=zwölf", "secret,id=c,data=x"))) {
      new KeyAmendment(named, secrets).applyTo(slots);
    }
  }

  @Test
  void passphraseIsChangedInTwoSteps() throws IOException, UsageException {
    amend("state=active,new-secret=b,iter-time=20");
    assertEquals(Map.of(0, "first", 1, "zwölf"), slots.slots);
    assertEquals(OptionalLong.of(20), slots.millis);

    amend("state=inactive,old-secret=a");
    assertEquals(Map.of(1, "zwölf"), slots.slots);
  }

  @Test
  void slotIsChosen() throws IOException, UsageException {
    amend("state=active,new-secret=b,keyslot=5");
    amend("state=active,new-secret=b,keyslot=6");
    assertEquals(Map.of(0, "first", 5, "zwölf", 6, "zwölf"), slots.slots);

    amend("state=inactive,keyslot=0");
    assertThrows(UsageException.class, () -> amend("state=inactive,old-secret=b"));
    assertEquals(Map.of(5, "zwölf", 6, "zwölf"), slots.slots);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "new-secret=b | encrypt.state is active or inactive, not ''",
        "state=active | encrypt.state=active takes encrypt.new-secret, and no old one",
        "state=active,new-secret=b,keyslot=0 | key slot 0 is in use: erase it first",
        "state=active,new-secret=b,keyslot=8 | encrypt.keyslot is from 0 to 7, not 8",
        "state=active,new-secret=b,keyslot=one | encrypt.keyslot is a number, not 'one'",
        "state=active,new-secret=d | there is no --object secret,id=d",
        "state=inactive | encrypt.state=inactive takes either encrypt.old-secret or encrypt.keyslot",
        "state=inactive,old-secret=c | the secret c opens no key slot",
        "state=inactive,old-secret=a | no key slot would be left, and the disk lost for ever",
        "state=inactive,keyslot=0 | no key slot would be left, and the disk lost for ever",
        "state=inactive,keyslot=0,new-secret=b | encrypt.state=inactive takes no new passphrase",
        "cipher-alg=aes-128 | encrypt.cipher-alg cannot be amended"
      })
  void whatWouldLockTheUserOutIsRefused(String options, String sentence) {
    assertEquals(sentence, assertThrows(UsageException.class, () -> amend(options)).getMessage());
    assertEquals(Map.of(0, "first"), slots.slots);
  }
}
