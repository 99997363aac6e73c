package io.vdisk;

/** An image names a file that the {@link ReferencePolicy} does not let it use. */
public final class ReferenceDeniedException extends ImageException {
  private static final long serialVersionUID = 1;

  private final transient Reference reference;

  /** The message says what was named, by which file, and what would allow it. */
  public ReferenceDeniedException(Reference reference, String reason) {
    super(
        reference.from().name()
            + " names "
            + reference.kind().phrase()
            + " '"
            + reference.name()
            + "': "
            + reason);
    this.reference = reference;
  }

  /** What the image asked for. */
  public Reference reference() {
    return reference;
  }
}
