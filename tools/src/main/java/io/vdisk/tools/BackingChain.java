package io.vdisk.tools;

import io.vdisk.BlockDevice;
import io.vdisk.CorruptImageException;
import io.vdisk.Images;
import io.vdisk.OpenOptions;
import io.vdisk.Reference;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The images below one, as it and they name each other, found under the user's policy. */
final class BackingChain {
  private final OpenOptions options;

  BackingChain(OpenOptions options) {
    this.options = options;
  }

  /** An image and its file; closing it closes both. */
  record Link(HostFile file, BlockDevice device) implements Closeable {
    @Override
    public void close() throws IOException {
      try (file) {
        device.close();
      }
    }
  }

  /** Is shown each image below the first, opened alone, from the top on. */
  @FunctionalInterface
  interface Visitor {
    void visit(Reference reference, Link image) throws IOException;
  }

  /** Opens what an image names as its backing file; what nobody recognises there is raw. */
  Link open(Reference reference, OpenOptions how) throws IOException {
    HostFile file = options.references().open(reference);
    boolean done = false;
    try {
      String format = reference.openFormat().orElse("");
      if (format.isEmpty()) {
        format = Opening.sureFormat(Images.probe(file)).orElse("raw");
      }
      Link link = new Link(file, Images.open(file, how.withFormat(format)));
      done = true;
      return link;
    } finally {
      if (!done) {
        file.close();
      }
    }
  }

  /** Goes down from an image. */
  void walk(BlockDevice top, Object key, Visitor visitor) throws IOException {
    Set<Object> seen = new HashSet<>();
    seen.add(key);
    Optional<Reference> next = top.info().backing();
    while (next.isPresent()) {
      Reference reference = next.get();
      if (seen.size() >= options.limits().chainDepth()) {
        throw new UnsupportedImageException(
            reference.from().name() + ": the chain of backing files is too deep");
      }
      try (Link link = open(reference, options.withoutBacking())) {
        if (!seen.add(link.file().key())) {
          throw new CorruptImageException(
              reference.from().name()
                  + ": the chain of backing files comes back to "
                  + link.file().name());
        }
        visitor.visit(reference, link);
        next = link.device().info().backing();
      }
    }
  }

  /** The references from an image down to its last backing file. */
  List<Reference> references(BlockDevice top, Object key) throws IOException {
    List<Reference> references = new ArrayList<>();
    walk(top, key, (reference, link) -> references.add(reference));
    return references;
  }
}
