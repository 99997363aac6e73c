package io.vdisk;

import io.vdisk.spi.ImageFormat;
import io.vdisk.spi.Probe;

/**
 * A format that may be a file's.
 *
 * @param format the format
 * @param probe how sure it is; never {@link Probe#NO}
 */
public record Match(ImageFormat format, Probe probe) {}
