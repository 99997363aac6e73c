package io.vdisk.host.linux;

import java.util.Optional;

/**
 * The processors whose numbers for system calls and flags are known. Source: the kernel's tables of
 * system calls, and asm/fcntl.h.
 */
enum Processor {
  AMD64(0x2_0000, 0x4000),
  AARCH64(0x8000, 0x1_0000);

  /** That of this JVM, if it is one of these. */
  static final Optional<Processor> CURRENT = find(System.getProperty("os.arch", ""));

  private final int noFollow;
  private final int direct;

  Processor(int noFollow, int direct) {
    this.noFollow = noFollow;
    this.direct = direct;
  }

  private static Optional<Processor> find(String name) {
    for (Processor processor : values()) {
      if (processor.name().equalsIgnoreCase(name)) {
        return Optional.of(processor);
      }
    }
    return Optional.empty();
  }

  /** O_NOFOLLOW: a symbolic link is not opened. */
  int noFollow() {
    return noFollow;
  }

  /** O_DIRECT: past the page cache. */
  int direct() {
    return direct;
  }
}
