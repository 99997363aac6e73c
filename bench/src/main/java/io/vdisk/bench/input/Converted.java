package io.vdisk.bench.input;

import io.vdisk.bench.host.Programs;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A disk in another format, written by QEMU: what it reads best.
 *
 * @param options of {@code qemu-img convert}, divided at spaces; may be empty
 */
public record Converted(Input source, String format, String options) implements Input {
  @Override
  public String fileName() {
    String stem = source.fileName().replaceFirst("\\.[^.]*$", "");
    String choice = options.replaceAll("[^A-Za-z0-9=]+", "");
    return stem + (choice.isEmpty() ? "" : "-" + choice) + "." + format;
  }

  @Override
  public List<Input> ingredients() {
    return List.of(source);
  }

  @Override
  public Input raw() {
    return source.raw();
  }

  @Override
  public void make(Path target, Path folder) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of("qemu-img", "convert", "-m", "1"));
    if (!options.isEmpty()) {
      words.addAll(Arrays.asList(options.split(" +", -1)));
    }
    words.addAll(List.of("-f", source.format(), "-O", format));
    words.addAll(List.of(folder.resolve(source.fileName()).toString(), target.toString()));
    Programs.run(Map.of(), words);
  }
}
