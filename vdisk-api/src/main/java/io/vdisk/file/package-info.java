/** Bytes on the host: what images are stored in. */
@NullMarked
package io.vdisk.file;

import org.jspecify.annotations.NullMarked;
