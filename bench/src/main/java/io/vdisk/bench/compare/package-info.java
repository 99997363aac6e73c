/** The command {@code compare}: the tools of vdisk beside other programs, on the same work. */
@NullMarked
package io.vdisk.bench.compare;

import org.jspecify.annotations.NullMarked;
