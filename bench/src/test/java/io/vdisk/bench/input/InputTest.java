package io.vdisk.bench.input;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InputTest {
  @TempDir Path folder;

  @Test
  void namesTellTheRecipe() {
    Input disk = new FileSystem(256);

    assertEquals("fs-256.raw", disk.fileName());
    assertEquals("fs-256.qcow2", new Converted(disk, "qcow2", "").fileName());
    assertEquals("fs-256-c.qcow2", new Converted(disk, "qcow2", "-c").fileName());
    assertEquals(
        "fs-256-osubformat=streamOptimized.vmdk",
        new Converted(disk, "vmdk", "-o subformat=streamOptimized").fileName());
  }

  @Test
  void imageHasTheContentOfItsDisk() {
    Input disk = new FileSystem(256);

    assertEquals(disk, new Converted(disk, "qcow2", "-c").raw());
  }

  @Test
  void sparseDiskIsTheSameEachTime() throws IOException {
    SparseDisk disk = new SparseDisk(64);

    disk.make(folder.resolve("a"), folder);
    disk.make(folder.resolve("b"), folder);

    assertEquals(64L << 20, Files.size(folder.resolve("a")));
    assertEquals(-1, Files.mismatch(folder.resolve("a"), folder.resolve("b")));
  }

  @Test
  void inputIsMadeOnceAndFromItsIngredients() throws IOException, InterruptedException {
    List<String> made = new ArrayList<>();
    record Dough(List<String> made) implements Input {
      @Override
      public String fileName() {
        return "dough";
      }

      @Override
      public String format() {
        return "raw";
      }

      @Override
      public void make(Path target, Path from) throws IOException {
        made.add("dough");
        Files.createFile(target);
      }
    }
    record Bread(Input dough, List<String> made) implements Input {
      @Override
      public String fileName() {
        return "bread";
      }

      @Override
      public String format() {
        return "raw";
      }

      @Override
      public List<Input> ingredients() {
        return List.of(dough);
      }

      @Override
      public void make(Path target, Path from) throws IOException {
        made.add("bread");
        Files.copy(from.resolve("dough"), target);
      }
    }
    Inputs inputs = new Inputs(folder.resolve("inputs"), text -> {});
    Input bread = new Bread(new Dough(made), made);

    inputs.make(bread);
    inputs.make(bread);

    assertEquals(List.of("dough", "bread"), made);
    assertFalse(Files.exists(folder.resolve("inputs/bread.unfinished")));
  }
}
