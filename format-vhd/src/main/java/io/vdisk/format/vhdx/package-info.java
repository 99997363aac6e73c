/** VHDX images: fixed, dynamic and differencing, with their log. */
@NullMarked
package io.vdisk.format.vhdx;

import org.jspecify.annotations.NullMarked;
