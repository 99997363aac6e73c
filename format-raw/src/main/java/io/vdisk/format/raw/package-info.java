/** Raw images: guest offsets are file offsets. */
@NullMarked
package io.vdisk.format.raw;

import org.jspecify.annotations.NullMarked;
