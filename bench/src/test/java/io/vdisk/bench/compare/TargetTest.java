package io.vdisk.bench.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class TargetTest {
  @Test
  void sizeIsFoundInWhatQemuPrints() {
    String info =
        """
        {
            "virtual-size": 1073741824,
            "filename": "x",
            "cluster-size": 4096,
            "format": "qcow",
            "actual-size": 4096,
            "dirty-flag": false
        }
        """;

    assertEquals(1L << 30, Target.virtualSize(info));
  }
}
