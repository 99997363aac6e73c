package io.vdisk.bench.engine;

/**
 * How fast requests are.
 *
 * @param perSecond requests a second, of all threads
 * @param cpu seconds of CPU a request
 * @param foreign share of one processor that others took meanwhile
 */
record Rate(double perSecond, double cpu, double foreign) {
  static Rate of(double perSecond, double cpu) {
    return new Rate(perSecond, cpu, 0);
  }

  Rate beside(double share) {
    return new Rate(perSecond, cpu, share);
  }
}
