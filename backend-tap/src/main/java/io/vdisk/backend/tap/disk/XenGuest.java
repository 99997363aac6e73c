package io.vdisk.backend.tap.disk;

/**
 * A guest of Xen at its disk, as statistics name it. Immutable.
 *
 * @param domain the guest
 * @param device the guest's number of the disk
 * @param watchNanoseconds how long its ring is looked at, at most, before going to sleep
 */
public record XenGuest(int domain, int device, long watchNanoseconds) {}
