package io.vdisk.backend.tap;

import java.io.Closeable;

/** The way to one guest: its ring, its data pages, and how both sides wake each other. */
public interface TapTransport extends Closeable {}
