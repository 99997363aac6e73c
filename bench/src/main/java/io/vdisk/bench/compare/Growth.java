package io.vdisk.bench.compare;

import io.vdisk.bench.stats.Ratio;
import java.util.Optional;

/** How many times as long a large input takes as a small one, on either side. */
record Growth(String name, Optional<Ratio> ours, Optional<Ratio> peer) {}
