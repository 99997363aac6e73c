package io.vdisk;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** What an image says of itself. Immutable. */
public final class ImageInfo {
  private final String format;
  private final long virtualSize;
  private final long unit;
  private final Optional<Geometry> geometry;
  private final Optional<Reference> backing;
  private final Map<String, Object> details;

  private ImageInfo(Builder builder) {
    this.format = builder.format;
    this.virtualSize = builder.virtualSize;
    this.unit = builder.unit;
    this.geometry = builder.geometry;
    this.backing = builder.backing;
    this.details = Collections.unmodifiableMap(new LinkedHashMap<>(builder.details));
  }

  /**
   * Begins a description.
   *
   * @param format the name of the format
   * @param virtualSize bytes of the virtual disk
   * @param unit bytes that the format allocates at a time: cluster, block, grain; at least 1
   */
  public static Builder builder(String format, long virtualSize, long unit) {
    return new Builder(format, virtualSize, unit);
  }

  /** The name of the format, as {@code ImageFormat.name()} spells it. */
  public String format() {
    return format;
  }

  /** Bytes of the virtual disk. */
  public long virtualSize() {
    return virtualSize;
  }

  /** Bytes that the format allocates at a time: cluster, block, grain. 1 for raw. */
  public long unit() {
    return unit;
  }

  /** The geometry that the image records; empty if none. */
  public Optional<Geometry> geometry() {
    return geometry;
  }

  /** The backing file that the image names; empty if none. Naming it opens nothing. */
  public Optional<Reference> backing() {
    return backing;
  }

  /**
   * The format's own fields, in its order: keys as {@code qemu-img info} spells them where it has
   * them. Values are {@code String}, {@code Long}, {@code Integer}, {@code Boolean}, or a {@code
   * List} or {@code Map} of these.
   */
  public Map<String, Object> details() {
    return details;
  }

  @Override
  public String toString() {
    return format + ", " + virtualSize + " bytes, unit " + unit + ", " + details;
  }

  /** Collects a description. One thread. */
  public static final class Builder {
    private final String format;
    private final long virtualSize;
    private final long unit;
    private Optional<Geometry> geometry = Optional.empty();
    private Optional<Reference> backing = Optional.empty();
    private final Map<String, Object> details = new LinkedHashMap<>();

    private Builder(String format, long virtualSize, long unit) {
      if (virtualSize < 0 || unit < 1) {
        throw new IllegalArgumentException("virtual size " + virtualSize + ", unit " + unit);
      }
      this.format = format;
      this.virtualSize = virtualSize;
      this.unit = unit;
    }

    /** The geometry that the image records. */
    public Builder geometry(Geometry recorded) {
      this.geometry = Optional.of(recorded);
      return this;
    }

    /** The backing file that the image names. */
    public Builder backing(Optional<Reference> named) {
      this.backing = named;
      return this;
    }

    /** One of the format's own fields. */
    public Builder detail(String key, Object value) {
      details.put(key, value);
      return this;
    }

    /** The description. */
    public ImageInfo build() {
      return new ImageInfo(this);
    }
  }
}
