/** The disks that commands work on, made once and kept. */
@NullMarked
package io.vdisk.bench.input;

import org.jspecify.annotations.NullMarked;
