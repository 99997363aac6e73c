/** The command {@code engine}: requests to the library's devices, beside bare files and QEMU. */
@NullMarked
package io.vdisk.bench.engine;

import org.jspecify.annotations.NullMarked;
