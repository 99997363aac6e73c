/**
 * The disks of a tapdisk: what a disk string says, the drivers by name, and one virtual block
 * device with its control operations.
 */
@NullMarked
package io.vdisk.backend.tap.disk;

import org.jspecify.annotations.NullMarked;
