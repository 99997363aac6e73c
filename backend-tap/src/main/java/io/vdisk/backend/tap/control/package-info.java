/**
 * The control plane of a tapdisk: the messages that tap-ctl and blktapctrl speak, the server that
 * answers them, and the client. Nothing here opens an image; {@link
 * io.vdisk.backend.tap.control.Disks} is the way to what does.
 */
@NullMarked
package io.vdisk.backend.tap.control;

import org.jspecify.annotations.NullMarked;
