package io.vdisk.bench.input;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A file to work on: a recipe, and the same bytes at each time that it is followed. */
public interface Input {
  /** The file's name, of which all that the recipe leaves open is a part. */
  String fileName();

  /** The format of the image. */
  String format();

  /** What is needed to make it, in order. */
  default List<Input> ingredients() {
    return List.of();
  }

  /** The raw disk of the same content. */
  default Input raw() {
    return this;
  }

  /** Makes the file; {@code folder} holds the ingredients. */
  void make(Path target, Path folder) throws IOException, InterruptedException;
}
