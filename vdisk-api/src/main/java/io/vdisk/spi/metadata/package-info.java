/**
 * Tables in memory and their way back to the host: what layouts are built of.
 *
 * <p>{@link io.vdisk.spi.metadata.TableCache} keeps slices of tables, {@link
 * io.vdisk.spi.metadata.WriteBack} writes the changed ones in the format's order, {@link
 * io.vdisk.spi.metadata.SpaceMap} and {@link io.vdisk.spi.metadata.Quarantine} know which host
 * space is free and which is not free yet. This package knows nothing of devices.
 */
@NullMarked
package io.vdisk.spi.metadata;

import org.jspecify.annotations.NullMarked;
