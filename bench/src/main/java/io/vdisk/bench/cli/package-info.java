/** The command lines of the benchmarks. */
@NullMarked
package io.vdisk.bench.cli;

import org.jspecify.annotations.NullMarked;
