package io.vdisk.feature;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** What a check found. Immutable. Counts are those of {@code qemu-img check}. */
public final class CheckReport {
  /** Findings that are kept as sentences; the counts go on. */
  public static final int MAX_MESSAGES = 1000;

  /** How bad a finding is. */
  public enum Severity {
    /** Guest data may be wrong or lost: repair before writing. */
    ERROR,
    /** Space that nothing uses. Harmless. */
    LEAK,
    /** Something could not be looked at: there may be more than the counts say. */
    UNCHECKED,
    /** Odd, but neither: a lost copy of a footer, say. */
    WARNING
  }

  /**
   * One finding.
   *
   * @param severity how bad it is
   * @param message a sentence with offsets
   */
  public record Finding(Severity severity, String message) {}

  private final long errors;
  private final long leaks;
  private final long unchecked;
  private final long warnings;
  private final List<Finding> findings;
  private final long totalUnits;
  private final long allocatedUnits;
  private final long compressedUnits;
  private final long fragmentedUnits;
  private final long endOffset;
  private final long errorsFixed;
  private final long leaksFixed;

  private CheckReport(Builder builder) {
    this.errors = builder.errors;
    this.leaks = builder.leaks;
    this.unchecked = builder.unchecked;
    this.warnings = builder.warnings;
    this.findings = Collections.unmodifiableList(new ArrayList<>(builder.findings));
    this.totalUnits = builder.totalUnits;
    this.allocatedUnits = builder.allocatedUnits;
    this.compressedUnits = builder.compressedUnits;
    this.fragmentedUnits = builder.fragmentedUnits;
    this.endOffset = builder.endOffset;
    this.errorsFixed = builder.errorsFixed;
    this.leaksFixed = builder.leaksFixed;
  }

  /** Begins a report. */
  public static Builder builder() {
    return new Builder();
  }

  /** Whether everything was looked at, and there are neither errors nor leaks. */
  public boolean isClean() {
    return errors == 0 && leaks == 0 && unchecked == 0;
  }

  /** Faults that may lose or have lost guest data. */
  public long errors() {
    return errors;
  }

  /** Units that are counted but not used. */
  public long leaks() {
    return leaks;
  }

  /** Things that could not be looked at, because what says where they are is wrong. */
  public long unchecked() {
    return unchecked;
  }

  /** Oddities that are neither. */
  public long warnings() {
    return warnings;
  }

  /** The findings in order, at most {@link #MAX_MESSAGES}. */
  public List<Finding> findings() {
    return findings;
  }

  /** Units of the virtual disk. */
  public long totalUnits() {
    return totalUnits;
  }

  /** Units that have host space. */
  public long allocatedUnits() {
    return allocatedUnits;
  }

  /** Units that are stored compressed. */
  public long compressedUnits() {
    return compressedUnits;
  }

  /** Units that do not follow their predecessor in the host file. */
  public long fragmentedUnits() {
    return fragmentedUnits;
  }

  /** Where the last used byte of the image file ends. */
  public long endOffset() {
    return endOffset;
  }

  /** Errors that a repair mended; among {@link #errors}. */
  public long errorsFixed() {
    return errorsFixed;
  }

  /** Leaks that a repair gave back; among {@link #leaks}. */
  public long leaksFixed() {
    return leaksFixed;
  }

  /** Collects findings. One thread. */
  public static final class Builder {
    private long errors;
    private long leaks;
    private long unchecked;
    private long warnings;
    private final List<Finding> findings = new ArrayList<>();
    private long totalUnits;
    private long allocatedUnits;
    private long compressedUnits;
    private long fragmentedUnits;
    private long endOffset;
    private long errorsFixed;
    private long leaksFixed;

    private Builder() {}

    /** Counts a finding, and keeps its sentence while there is room. */
    public Builder add(Severity severity, String message) {
      return add(severity, 1, message);
    }

    /** Counts a finding so many times, with one sentence. */
    public Builder add(Severity severity, long times, String message) {
      switch (severity) {
        case ERROR -> errors += times;
        case LEAK -> leaks += times;
        case UNCHECKED -> unchecked += times;
        case WARNING -> warnings += times;
      }
      if (findings.size() < MAX_MESSAGES) {
        findings.add(new Finding(severity, message));
      }
      return this;
    }

    /** How the units are used. */
    public Builder units(long total, long allocated, long compressed, long fragmented) {
      this.totalUnits = total;
      this.allocatedUnits = allocated;
      this.compressedUnits = compressed;
      this.fragmentedUnits = fragmented;
      return this;
    }

    /** Where the last used byte of the image file ends. */
    public Builder endOffset(long offset) {
      this.endOffset = offset;
      return this;
    }

    /** How many of the errors and leaks were mended. */
    public Builder fixed(long errorsMended, long leaksMended) {
      this.errorsFixed = errorsMended;
      this.leaksFixed = leaksMended;
      return this;
    }

    /** The report. */
    public CheckReport build() {
      return new CheckReport(this);
    }
  }
}
