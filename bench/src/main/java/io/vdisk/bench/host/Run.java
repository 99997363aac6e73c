package io.vdisk.bench.host;

/**
 * One run of a command, measured; seconds are of one turn where it was repeated.
 *
 * @param wall seconds from start to end
 * @param cpu seconds of CPU, of its children too
 * @param peakKib most memory that it held at once
 * @param foreign share of one processor that others took meanwhile: 1 is a whole one
 * @param stolen share of one processor that the hypervisor gave to others
 * @param seconds how long the whole lasted, all turns
 */
public record Run(
    double wall, double cpu, long peakKib, double foreign, double stolen, double seconds) {
  /** Above this share others disturb a measurement too much. */
  private static final double MUCH = 0.2;

  /** A few ticks of a clock of hundredths say nothing about a share. */
  private static final double SHORT = 0.2;

  public boolean isDisturbed() {
    return seconds >= SHORT && disturbance() > MUCH;
  }

  public double disturbance() {
    return Math.max(foreign, stolen);
  }
}
