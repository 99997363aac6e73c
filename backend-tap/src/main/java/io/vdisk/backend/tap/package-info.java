/** Block devices served to a guest through the shared ring of blktap. */
@NullMarked
package io.vdisk.backend.tap;

import org.jspecify.annotations.NullMarked;
