/** Commands run and measured on this machine. */
@NullMarked
package io.vdisk.bench.host;

import org.jspecify.annotations.NullMarked;
