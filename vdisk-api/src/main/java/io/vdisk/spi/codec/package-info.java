/** What several formats need to read and write their units: compression, ciphers. */
@NullMarked
package io.vdisk.spi.codec;

import org.jspecify.annotations.NullMarked;
