package io.vdisk.bench.engine;

import java.util.ArrayList;
import java.util.List;

/**
 * Requests of one kind.
 *
 * @param size bytes of a request
 * @param order random or sequential
 */
record Work(Operation operation, String format, int size, String order) {
  private static final int KIB = 1 << 10;

  /** Every kind there is. */
  static List<Work> all() {
    List<Work> all = new ArrayList<>();
    for (Operation operation : Operation.values()) {
      for (String format : List.of("qcow2", "qcow", "raw")) {
        if (operation == Operation.COPY_ON_WRITE && format.equals("raw")) {
          continue; // has no backing file
        }
        for (int size : new int[] {4 * KIB, 64 * KIB, KIB * KIB}) {
          for (String order : List.of("random", "sequential")) {
            all.add(new Work(operation, format, size, order));
          }
        }
      }
    }
    return all;
  }

  /** What the goals of speed speak of, and what makes their figures plausible. */
  boolean isUsual() {
    boolean random = order.equals("random");
    return switch (operation) {
      case READ -> size < KIB * KIB && (format.equals("qcow2") || (random && size == 4 * KIB));
      case WRITE, COPY_ON_WRITE -> format.equals("qcow2") && random && size == 4 * KIB;
      case ALLOCATE -> format.equals("qcow2") && random && size < KIB * KIB;
      case ZERO -> format.equals("qcow2") && random && size == 64 * KIB;
    };
  }

  /** How many requests use a disk up, and where they go. */
  Batch batch(Folder folder) {
    long bytes = operation == Operation.ZERO ? Zeroing.size(folder) : folder.bytes();
    return Batch.of(bytes, size, order);
  }

  String name() {
    String length = size < KIB * KIB ? size / KIB + "k" : size / KIB / KIB + "m";
    return operation.word() + "-" + format + "-" + length + "-" + order;
  }
}
