package io.vdisk;

/**
 * Cylinders, heads and sectors for each track that an image records for old guests.
 *
 * @param cylinders at least 0
 * @param heads at least 0
 * @param sectorsPerTrack at least 0
 */
public record Geometry(int cylinders, int heads, int sectorsPerTrack) {}
