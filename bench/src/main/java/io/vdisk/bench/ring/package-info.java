/** What the ring of {@code backend-tap} costs beside direct calls of the same device. */
@NullMarked
package io.vdisk.bench.ring;

import org.jspecify.annotations.NullMarked;
