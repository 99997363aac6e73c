package io.vdisk.format.vmdk;

import io.vdisk.UnsupportedImageException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The texts by way of which one descriptor becomes another, so that a power cut leaves one that
 * means what the first or what the last does. Each is durable before the next is begun. It keeps:
 *
 * <ol>
 *   <li>What has a meaning changes within one sector, which a disk writes whole or not at all, and
 *       where a text of the same length was.
 *   <li>The text grows and shrinks at its end alone, by blank lines and by entries that say once
 *       more what they said before; of several with one key the first counts.
 *   <li>An entry becomes a comment when another one says the same, by bytes of one sector.
 * </ol>
 *
 * Where a new text does not fit where the old one was, blank lines fill the rest, or others make
 * room (see {@link DescriptorRoom}). Where that does not help, {@code CID}, {@code parentCID} and
 * {@code parentFileNameHint} move to the end of the text, all of them to one sector, where QEMU
 * finds them (and libvmdk does not).
 */
final class DescriptorChange {
  private static final int SECTOR = SparseHeader.SECTOR;

  /** What says which state of which disks an image belongs to. */
  private static final List<String> IDENTITY =
      List.of(Descriptor.CID, Descriptor.PARENT_CID, Descriptor.PARENT_HINT);

  private final Descriptor before;
  private final Descriptor after;
  private final String old;

  DescriptorChange(Descriptor before, Descriptor after) {
    this.before = before;
    this.after = after;
    this.old = before.toString();
  }

  /**
   * What is to be written, one after the other; the characters are bytes.
   *
   * @throws UnsupportedImageException if there is no such way
   */
  List<String> texts() throws UnsupportedImageException {
    String wanted = after.toString();
    int length = Math.max(old.length(), wanted.length());
    if (isWithinSector(filled(old, length), filled(wanted, length))) {
      return List.of(filled(old, length), filled(wanted, length), wanted);
    }
    DescriptorRoom room = DescriptorRoom.of(before.lines(), after.lines());
    for (String text : room.texts()) {
      if (isWithinSector(old, text)) {
        return List.of(text);
      }
    }
    Optional<List<String>> displacing = room.displacing();
    if (displacing.isPresent()
        && isWithinSector(displacing.get().get(0), displacing.get().get(1))) {
      return displacing.get();
    }
    return moved();
  }

  private static String filled(String text, int length) {
    return text + "\n".repeat(length - text.length());
  }

  /** Whether all in which two texts of one length differ lies in one sector. */
  private static boolean isWithinSector(String from, String to) {
    if (from.length() != to.length()) {
      return false;
    }
    int first = 0;
    int last = from.length() - 1;
    while (first <= last && from.charAt(first) == to.charAt(first)) {
      first++;
    }
    while (last > first && from.charAt(last) == to.charAt(last)) {
      last--;
    }
    return first > last || first / SECTOR == last / SECTOR;
  }

  /** By way of entries at the end that say what the old ones do. */
  private List<String> moved() throws UnsupportedImageException {
    String from = String.join("", identity(before));
    String to = String.join("", identity(after));
    int length = Math.max(from.length(), to.length());
    if (length > SECTOR || !others(before).equals(others(after))) {
      throw new UnsupportedImageException(
          before.where()
              + ": its descriptor cannot be changed so that a power cut would leave the old or the"
              + " new one; what changes must fit in one sector");
    }
    String start = old.isEmpty() || old.endsWith("\n") ? old : old + "\n";
    int within = start.length() % SECTOR;
    int fill = within + length > SECTOR ? SECTOR - within : 0;
    String own = start + "\n".repeat(fill);
    String wider = own + filled(from, length);
    String single = commented(wider, own.length(), 1, true);
    String hidden = commented(single, own.length(), 0, true);
    String changed = hidden.substring(0, own.length()) + filled(to, length);
    String tidy = commented(changed, own.length(), 0, false);
    return List.of(wider, single, hidden, changed, tidy);
  }

  /** The first entry of each key, each a line. */
  private static List<String> identity(Descriptor text) {
    List<String> entries = new ArrayList<>();
    for (String key : IDENTITY) {
      Optional<String> line =
          text.lines().stream()
              .filter(l -> key.equalsIgnoreCase(DescriptorText.key(l)))
              .findFirst();
      line.ifPresent(entry -> entries.add(entry.strip() + "\n"));
    }
    return entries;
  }

  private static List<String> others(Descriptor text) {
    return text.lines().stream().filter(line -> !isIdentity(line)).toList();
  }

  private static boolean isIdentity(String line) {
    return IDENTITY.stream().anyMatch(key -> key.equalsIgnoreCase(DescriptorText.key(line)));
  }

  /**
   * Makes blank comments of entries before {@code end}, but for the first {@code kept} of each key.
   *
   * @param isPart whether of each only what lies in its first sector; otherwise comments that were
   *     made so are made blank as a whole
   */
  private String commented(String text, int end, int kept, boolean isPart) {
    StringBuilder changed = new StringBuilder(text);
    List<String> seen = new ArrayList<>();
    int at = 0;
    for (String line : before.lines()) {
      int from = at;
      at += line.length();
      String key = DescriptorText.key(line).toLowerCase(Locale.ROOT);
      boolean isKept = seen.stream().filter(key::equals).count() < kept;
      seen.add(key);
      if (isIdentity(line) && !isKept && from < end) {
        int last = from + line.stripTrailing().length();
        int to = isPart ? Math.min(last, (from / SECTOR + 1) * SECTOR) : last;
        changed.replace(from, to, "#" + " ".repeat(to - from - 1));
      }
    }
    return changed.toString();
  }
}
