package io.vdisk.bench.engine;

/**
 * What a read through the engine costs beyond the read of the same bytes from the file.
 *
 * @param name of the reads
 * @param slices how many comparisons the ratio is the median of
 */
record Overhead(
    String name,
    int threads,
    double bareNanos,
    double engineNanos,
    double ratio,
    double lowerQuartile,
    double upperQuartile,
    int slices) {}
