/**
 * For authors of formats: recognise and open an image as a layout, and the engine does the rest.
 *
 * <p>A read-only format implements {@link io.vdisk.spi.ImageFormat} and two methods of {@link
 * io.vdisk.spi.ImageLayout}; a writable one adds those of {@link io.vdisk.spi.WritableLayout}. The
 * tools for tables are in {@code io.vdisk.spi.metadata}, those for structures on disk in {@code
 * io.vdisk.spi.struct}.
 */
@NullMarked
package io.vdisk.spi;

import org.jspecify.annotations.NullMarked;
