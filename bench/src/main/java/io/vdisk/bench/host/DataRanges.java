package io.vdisk.bench.host;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Where a file has data on the host and is no hole. Holes cost time to read and are no input. */
public final class DataRanges {
  private static final int BUFFER = 1 << 20;

  private record Range(long start, long length) {}

  private final Path file;
  private final List<Range> ranges;

  private DataRanges(Path file, List<Range> ranges) {
    this.file = file;
    this.ranges = ranges;
  }

  /** As {@code qemu-img map} finds them, which asks the host. */
  public static DataRanges of(Path file) throws IOException, InterruptedException {
    return parse(
        file, Programs.run("qemu-img", "map", "-U", "-f", "raw", "--output=json", file.toString()));
  }

  static DataRanges parse(Path file, String map) {
    List<Range> ranges = new ArrayList<>();
    for (JsonElement element : JsonParser.parseString(map).getAsJsonArray()) {
      JsonObject extent = element.getAsJsonObject();
      if (extent.get("data").getAsBoolean()) {
        ranges.add(new Range(extent.get("start").getAsLong(), extent.get("length").getAsLong()));
      }
    }
    return new DataRanges(file, ranges);
  }

  public long bytes() {
    return ranges.stream().mapToLong(Range::length).sum();
  }

  /** Reads everything once, so that it is in the page cache. */
  public void read() throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
    try (FileChannel channel = FileChannel.open(file)) {
      for (Range range : ranges) {
        long end = range.start + range.length;
        for (long offset = range.start; offset < end; offset += buffer.position()) {
          buffer.clear().limit((int) Math.min(BUFFER, end - offset));
          if (channel.read(buffer, offset) < 0) {
            break;
          }
        }
      }
    }
  }
}
