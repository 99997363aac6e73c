/** What only some formats can; asked for by {@link io.vdisk.BlockDevice#feature}. */
@NullMarked
package io.vdisk.feature;

import org.jspecify.annotations.NullMarked;
