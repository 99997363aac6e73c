/**
 * Small writable formats, each with one feature of a real one, that show what the SPI carries.
 *
 * <p>All begin with a {@link io.vdisk.testkit.toy.ToyHeader}. Their tables have entries of 8 bytes,
 * most significant byte first.
 */
@NullMarked
package io.vdisk.testkit.toy;

import org.jspecify.annotations.NullMarked;
