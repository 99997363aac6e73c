/** The commands {@code vdisk}, {@code qcow-create} and {@code img2qcow}. */
@NullMarked
package io.vdisk.tools;

import org.jspecify.annotations.NullMarked;
