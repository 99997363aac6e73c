package io.vdisk.backend.tap.xen;

import java.io.Closeable;
import java.io.IOException;

/** A node that is watched. Any thread may call. */
public final class StoreWatch implements Closeable {
  private final XenStore store;
  private final String path;
  private final String token;

  StoreWatch(XenStore store, String path, String token) {
    this.store = store;
    this.path = path;
    this.token = token;
  }

  /** The node. */
  public String path() {
    return path;
  }

  /** Watches no longer; an event that is on its way may still come. Called once. */
  @Override
  public void close() throws IOException {
    store.unwatch(path, token);
  }
}
