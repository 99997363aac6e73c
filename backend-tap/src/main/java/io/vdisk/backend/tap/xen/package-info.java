/**
 * The back end of Xen's block devices: a client of Xen's store, the steps in which a back end and a
 * guest's front end meet there, and the disks that are found there.
 */
@NullMarked
package io.vdisk.backend.tap.xen;

import org.jspecify.annotations.NullMarked;
