package io.vdisk;

import java.util.OptionalLong;

/**
 * How large the file of an image would become.
 *
 * @param required bytes for what is copied, with the tables for it
 * @param fullyAllocated bytes when every byte of the disk has been written
 * @param bitmaps further bytes for the source's dirty bitmaps; empty if it can have none
 */
public record Measurement(long required, long fullyAllocated, OptionalLong bitmaps) {}
