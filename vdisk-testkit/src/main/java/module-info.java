/** The contracts of vdisk as tests to inherit. */
module io.vdisk.testkit {
  requires transitive io.vdisk;
  requires jdk.management;
  requires transitive net.jqwik.api;
  requires transitive org.junit.jupiter.api;
  requires static transitive org.jspecify;

  exports io.vdisk.testkit;

  // JUnit and jqwik reach what subclasses elsewhere inherit.
  opens io.vdisk.testkit;
}
