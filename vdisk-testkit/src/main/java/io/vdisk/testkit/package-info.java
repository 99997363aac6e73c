/** The contracts that every format and every host file keeps, as abstract tests to inherit. */
@NullMarked
package io.vdisk.testkit;

import org.jspecify.annotations.NullMarked;
