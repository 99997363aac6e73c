package io.vdisk.format.vhd;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.ImageInfo;
import io.vdisk.Reference;
import io.vdisk.ReferenceDeniedException;
import io.vdisk.ReferencePolicy;
import io.vdisk.file.HostFile;
import io.vdisk.spi.OpenContext;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * What a differencing disk says of its parent: names, of which each system has its own, and the id.
 * Relative names come first, then absolute ones, then the file name in the header. One thread.
 */
final class ParentLink {
  /** The order in which locators are looked at. */
  private static final List<Long> ORDER =
      List.of(
          ParentLocator.W2RU,
          ParentLocator.MACX,
          ParentLocator.W2KU,
          ParentLocator.WI2R,
          ParentLocator.WI2K);

  private final HostFile file;
  private final UUID id;
  private final List<String> names;

  /** Why there is no name. */
  private final String obstacle;

  private ParentLink(HostFile file, UUID id, List<String> names, String obstacle) {
    this.file = file;
    this.id = id;
    this.names = names;
    this.obstacle = obstacle;
  }

  /** Reads the locators of a differencing disk; those that cannot be read are left out. */
  static ParentLink of(Structures structures) throws IOException {
    DynamicDiskHeader header = structures.header();
    List<ParentLocator> locators = new ArrayList<>();
    for (ParentLocator locator : header.locators()) {
      if (locator.isText()) {
        locators.add(locator);
      }
    }
    locators.sort(Comparator.comparingInt(locator -> ORDER.indexOf(locator.code())));
    Set<String> names = new LinkedHashSet<>();
    String obstacle =
        structures.file().name() + ": is a differencing disk that does not name its parent";
    for (ParentLocator locator : locators) {
      try {
        locator.readName(structures.file()).ifPresent(names::add);
      } catch (CorruptImageException e) {
        obstacle = String.valueOf(e.getMessage());
      }
    }
    String name = header.parentName().replace('\\', '/');
    if (!name.isEmpty()) {
      names.add(name);
    }
    return new ParentLink(structures.file(), header.parentId(), List.copyOf(names), obstacle);
  }

  /** All names, the first to look for first. */
  List<String> names() {
    return names;
  }

  /** The format of the parent: what has no id is no VHD. */
  private String format() {
    return id.equals(UniqueId.NONE) ? "raw" : VhdFormat.NAME;
  }

  private Reference reference(String name) {
    return new Reference(Reference.Kind.BACKING, name, Optional.of(format()), file, false);
  }

  /** The parent by the name that is looked for first; empty if there is no name. */
  Optional<Reference> reference() {
    return names.isEmpty() ? Optional.empty() : Optional.of(reference(names.get(0)));
  }

  /** Opens the parent and looks at its id. */
  Optional<BlockDevice> open(OpenContext context) throws IOException {
    boolean isNeeded =
        context.options().backing().isEmpty() && !context.options().isWithoutBacking();
    if (names.isEmpty() && isNeeded) {
      throw new CorruptImageException(obstacle);
    }
    boolean isLookedFor = isNeeded && names.size() > 1;
    Optional<Reference> reference =
        isLookedFor ? Optional.of(existing(context.options().references())) : reference();
    Optional<BlockDevice> parent = context.backing(reference);
    if (parent.isPresent() && !context.options().isWithoutBacking()) {
      checkId(parent.get().info());
    }
    return parent;
  }

  /** The first name under which there is a file that the policy allows. */
  private Reference existing(ReferencePolicy policy) throws IOException {
    ReferenceDeniedException denied = null;
    boolean isMissing = false;
    for (String name : names) {
      Reference reference = reference(name);
      try {
        policy.open(reference).close();
        return reference;
      } catch (NoSuchFileException e) {
        isMissing = true; // another system's name, perhaps
      } catch (ReferenceDeniedException e) {
        denied = denied == null ? e : denied;
      }
    }
    if (denied != null && !isMissing) {
      throw denied;
    }
    throw new NoSuchFileException(
        file.name(), null, "its parent is not there; it names " + String.join(" or ", names));
  }

  private void checkId(ImageInfo parent) throws CorruptImageException {
    Object found = parent.details().get(VhdDescription.UNIQUE_ID);
    if (!id.equals(UniqueId.NONE)
        && parent.format().equals(VhdFormat.NAME)
        && !id.toString().equals(found)) {
      throw new CorruptImageException(
          String.format(
              "%s: its parent has the id %s, and that of %s is %s: it is another disk, or the"
                  + " parent was replaced",
              file.name(), id, names.isEmpty() ? "the given device" : names.get(0), found));
    }
  }
}
