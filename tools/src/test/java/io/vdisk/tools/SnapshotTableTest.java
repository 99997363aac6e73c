package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.BlockDevice;
import io.vdisk.feature.Snapshots;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TimeZone;
import org.junit.jupiter.api.Test;

class SnapshotTableTest {
  private static final List<Snapshots.Snapshot> LIST =
      List.of(
          new Snapshots.Snapshot("2", "one", 1, 1_795_640_085, 0, 0),
          new Snapshots.Snapshot("1", "two", 1, 0, 3 << 19, 90_061_007_000_000L),
          new Snapshots.Snapshot("x", "two words and a very long name", 1, 1, 0, 1_999_999));

  private final Snapshots snapshots = new Listed();

  /** Cannot do anything but tell what there is. */
  private static final class Listed implements Snapshots {
    @Override
    public List<Snapshot> list() {
      return LIST;
    }

    @Override
    public Snapshot create(String name) {
      throw new AssertionError(name);
    }

    @Override
    public void apply(Snapshot snapshot) {
      throw new AssertionError(snapshot);
    }

    @Override
    public void delete(Snapshot snapshot) {
      throw new AssertionError(snapshot);
    }

    @Override
    public BlockDevice open(Snapshot snapshot) {
      throw new AssertionError(snapshot);
    }
  }

  @Test
  void columnsAreThoseOfQemu() {
    TimeZone before = TimeZone.getDefault();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
      TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
      SnapshotTable.print(LIST, out);
      SnapshotTable.print(List.of(), out);
    } finally {
      TimeZone.setDefault(before);
    }
    assertEquals(
        """
        Snapshot list:
        ID        TAG               VM SIZE                DATE     VM CLOCK     ICOUNT
        2         one                   0 B 2026-11-25 20:54:45 00:00:00.000          0
        1         two               1.5 MiB 1970-01-01 00:00:00 25:01:01.007          0
        x         two words and a very long name      0 B 1970-01-01 00:00:01 00:00:00.001          0
        """,
        bytes.toString(StandardCharsets.UTF_8));
  }

  @Test
  void programsGetEachField() {
    assertEquals(
        Map.of(
            "icount",
            0,
            "vm-clock-nsec",
            7_000_000L,
            "name",
            "two",
            "date-sec",
            0L,
            "date-nsec",
            0,
            "vm-clock-sec",
            90_061L,
            "id",
            "1",
            "vm-state-size",
            3L << 19),
        SnapshotTable.fields(LIST).get(1));
  }

  @Test
  void wordIsAnIdFirstAndANameOtherwise() throws IOException, UsageException {
    assertEquals(LIST.get(1), NamedSnapshot.find(snapshots, "1", "f"));
    assertEquals(LIST.get(1), NamedSnapshot.find(snapshots, "two", "f"));
    assertEquals(LIST.get(0), NamedSnapshot.find(snapshots, "snapshot.id=2", "f"));
    assertEquals(LIST.get(1), NamedSnapshot.find(snapshots, "snapshot.name=two", "f"));
    assertEquals(
        LIST.get(1), NamedSnapshot.find(snapshots, "snapshot.id=1,snapshot.name=two", "f"));
    assertEquals(LIST.get(0), NamedSnapshot.named(snapshots, "one", "f"));
  }

  @Test
  void whatIsNotThereIsNamed() {
    for (String word : List.of("3", "snapshot.id=1,snapshot.name=one", "snapshot.id=two")) {
      assertEquals(
          "f: there is no snapshot '" + word + "'",
          assertThrows(IOException.class, () -> NamedSnapshot.find(snapshots, word, "f"))
              .getMessage());
    }
    assertThrows(UsageException.class, () -> NamedSnapshot.find(snapshots, "snapshot.age=1", "f"));
    assertThrows(IOException.class, () -> NamedSnapshot.named(snapshots, "1", "f"));
  }
}
