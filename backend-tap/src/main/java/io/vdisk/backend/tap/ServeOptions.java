package io.vdisk.backend.tap;

/** How a ring is served. */
public record ServeOptions(
    boolean isReadOnly, boolean isSerial, RateLimit limit, RequestStatistics statistics) {}
