package io.vdisk.format.qcow2;

import io.vdisk.CreateOptions;

/** qcow2 with subclusters equals an array of bytes. */
class Qcow2ExtendedModelTest extends Qcow2ModelTest {
  private static final int SUBCLUSTER = 512;

  @Override
  CreateOptions choices(CreateOptions options) {
    return options.withOption("cluster_size", "16k").withOption("extended_l2", "on");
  }

  @Override
  protected int unit() {
    return SUBCLUSTER;
  }

  @Override
  protected int size() {
    return 100 * SUBCLUSTER;
  }
}
