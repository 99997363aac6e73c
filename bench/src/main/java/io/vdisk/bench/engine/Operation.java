package io.vdisk.bench.engine;

/** What requests do. */
enum Operation {
  READ("read", SteadyBenchmark.class, "read", "reads of data that is there"),
  WRITE("write", SteadyBenchmark.class, "write", "writes over data that is there"),
  ALLOCATE("allocate", FreshBenchmark.class, "allocate", "writes into new clusters"),
  COPY_ON_WRITE("cow", FreshBenchmark.class, "copyOnWrite", "writes over a backing file's data"),
  ZERO("zero", FreshBenchmark.class, "zero", "zeroing of data");

  private final String word;
  private final Class<?> benchmarks;
  private final String method;
  private final String title;

  Operation(String word, Class<?> benchmarks, String method, String title) {
    this.word = word;
    this.benchmarks = benchmarks;
    this.method = method;
    this.title = title;
  }

  String word() {
    return word;
  }

  String title() {
    return title;
  }

  /** The JMH benchmark, as an expression for its name. */
  String benchmark() {
    return "^" + benchmarks.getName().replace(".", "\\.") + "\\." + method + "$";
  }

  /** Whether a run uses its disk up. */
  boolean isBatch() {
    return benchmarks == FreshBenchmark.class;
  }
}
