/** VHD images: fixed, dynamic and differencing. */
@NullMarked
package io.vdisk.format.vhd;

import org.jspecify.annotations.NullMarked;
