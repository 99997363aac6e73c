/** qcow version 1, with the extended header that Xen added. */
@NullMarked
package io.vdisk.format.qcow;

import org.jspecify.annotations.NullMarked;
