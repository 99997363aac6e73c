/** Virtual disk images, opened, created, read and written as block devices. */
@NullMarked
package io.vdisk;

import org.jspecify.annotations.NullMarked;
