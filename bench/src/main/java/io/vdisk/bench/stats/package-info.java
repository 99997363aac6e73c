/** What measurements say: least, median, quartiles, ratios. */
@NullMarked
package io.vdisk.bench.stats;

import org.jspecify.annotations.NullMarked;
