/** Structures on disk: fields at offsets, described once. */
@NullMarked
package io.vdisk.spi.struct;

import org.jspecify.annotations.NullMarked;
