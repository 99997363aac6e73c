package io.vdisk.bench.compare;

import io.vdisk.bench.host.Command;
import io.vdisk.bench.stats.Sample;

/** How one setting of the other side did before the pairs. */
record Trial(Command command, Sample wall) {}
