package io.vdisk.bench.input;

import io.vdisk.bench.host.DataRanges;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/** The inputs in one folder. What is there already is used again. For one thread. */
public final class Inputs {
  private final Path folder;
  private final Consumer<String> log;
  private final Map<Input, DataRanges> ranges = new HashMap<>();

  public Inputs(Path folder, Consumer<String> log) throws IOException {
    this.folder = Files.createDirectories(folder);
    this.log = log;
  }

  public Path path(Input input) {
    return folder.resolve(input.fileName());
  }

  /** Makes what is missing of an input and what it needs. */
  public void make(Input input) throws IOException, InterruptedException {
    for (Input ingredient : input.ingredients()) {
      make(ingredient);
    }
    Path file = path(input);
    if (!Files.exists(file)) {
      log.accept("making " + file);
      Path unfinished = folder.resolve(input.fileName() + ".unfinished");
      Files.deleteIfExists(unfinished);
      input.make(unfinished, folder);
      Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  /** Reads an input, so that it is in the page cache: some hosts drop it between two runs. */
  public void warm(Input input) throws IOException, InterruptedException {
    data(input).read();
  }

  /** How many bytes of the file are no holes. */
  public long dataBytes(Input input) throws IOException, InterruptedException {
    return data(input).bytes();
  }

  private DataRanges data(Input input) throws IOException, InterruptedException {
    DataRanges known = ranges.get(input);
    if (known == null) {
      known = DataRanges.of(path(input));
      ranges.put(input, known);
    }
    return known;
  }
}
