/** What a host's operating system can do beyond {@code java.nio}; found by lookup. */
@NullMarked
package io.vdisk.file.host;

import org.jspecify.annotations.NullMarked;
