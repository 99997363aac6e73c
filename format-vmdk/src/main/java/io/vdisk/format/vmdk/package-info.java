/** VMDK images: a descriptor and the extents it names. */
@NullMarked
package io.vdisk.format.vmdk;

import org.jspecify.annotations.NullMarked;
