/** What was measured, as Markdown, JSON and a chart. */
@NullMarked
package io.vdisk.bench.report;

import org.jspecify.annotations.NullMarked;
