/**
 * Virtual disk images, opened, read, written, created and copied.
 *
 * <pre>
 *   guest / command line / embedder
 *         |  read  write  writeZeroes  discard  flush  extentAt        feature(...)
 *         v                                                                 |
 *   BlockDevice  &lt;------------ the only type above this line ---------------+
 *         |
 *   ImageDevice  (the one engine: ranges, copy-on-write, zero fill, gate and unit locks)
 *      |  map(offset, length) -&gt; Mapping          ^  allocate(...) -&gt; Allocation --- commit()
 *      v                                          |
 *   ImageLayout / WritableLayout   (a format: tables, never guest data)
 *      |                                \
 *      v  STORED, ENCODED                v  BACKING
 *   HostFile                              another BlockDevice (any format, any depth)
 * </pre>
 *
 * <p>Five words: a <em>format</em> recognises and opens images; an open image is a <em>layout</em>,
 * which says where each guest byte lives; the engine makes a <em>device</em> of it; bytes lie in a
 * <em>host file</em>; what an image names (a backing file, an extent) is a <em>reference</em>, and
 * only a {@link io.vdisk.ReferencePolicy} opens it.
 *
 * <p>Sizes, lengths and offsets are bytes in a {@code long} unless a name says otherwise.
 */
@NullMarked
package io.vdisk;

import org.jspecify.annotations.NullMarked;
