/** Host files by the system calls of Linux. What does so lies in {@code src/main/java22}. */
@NullMarked
package io.vdisk.host.linux;

import org.jspecify.annotations.NullMarked;
