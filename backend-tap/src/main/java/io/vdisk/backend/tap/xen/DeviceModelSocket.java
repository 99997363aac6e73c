package io.vdisk.backend.tap.xen;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The socket at which xl asks the QEMU of a guest that it just started: here for a guest that has
 * none, because its disks are ours. It is a QEMU without devices, and knows just the questions that
 * libxl asks of every guest ({@code libxl_dm.c} of Xen's sources: {@code query-chardev} when the
 * device model runs).
 *
 * <p>QEMU's machine protocol: lines of JSON, {@code {"execute": "query-chardev", "id": 1}} and
 * {@code {"return": [], "id": 1}}, after a greeting. One thread.
 */
public final class DeviceModelSocket implements Closeable {
  private static final String GREETING =
      """
      {"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": "vdisk"}, \
      "capabilities": []}}""";

  private static final Map<String, String> ANSWERS =
      Map.of(
          "qmp_capabilities", "{}",
          "query-chardev", "[]",
          "query-status", "{\"status\": \"running\", \"running\": true}");

  private static final Pattern COMMAND =
      Pattern.compile("\"execute\"\\s*:\\s*\"([a-zA-Z0-9_-]+)\"");
  private static final Pattern ID =
      Pattern.compile("\"id\"\\s*:\\s*(\\d{1,18}|\"[a-zA-Z0-9_-]*\")");
  private static final int MOST_LINE = 1 << 16;

  private final Path path;
  private final ServerSocketChannel server;

  private DeviceModelSocket(Path path, ServerSocketChannel server) {
    this.path = path;
    this.server = server;
  }

  /** Listens. A socket that a process left there that is gone is replaced. */
  public static DeviceModelSocket open(Path path) throws IOException {
    boolean unused = Files.deleteIfExists(path);
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      server.bind(UnixDomainSocketAddress.of(path)).configureBlocking(false);
    } catch (IOException e) {
      server.close();
      throw e;
    }
    return new DeviceModelSocket(path, server);
  }

  /** Answers one client after the other, until there has been none for so long. */
  public void serve(Duration idle) throws IOException {
    try (Selector selector = Selector.open()) {
      SelectionKey unused = server.register(selector, SelectionKey.OP_ACCEPT);
      while (selector.select(idle.toMillis()) > 0) {
        selector.selectedKeys().clear();
        SocketChannel client = server.accept();
        if (client != null) {
          serve(client);
        }
      }
    }
  }

  private static void serve(SocketChannel client) throws IOException {
    try (client) {
      client.configureBlocking(true);
      say(client, GREETING);
      InputStream in = Channels.newInputStream(client);
      for (String line = readLine(in); !line.isEmpty(); line = readLine(in)) {
        say(client, answer(line));
      }
    } catch (IOException e) {
      return; // it hung up, and the next one may come
    }
  }

  /** A line with its end, or what there is of the last one. */
  private static String readLine(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int next = in.read(); next >= 0; next = in.read()) {
      line.append((char) next);
      if (next == '\n') {
        return line.toString();
      }
      if (line.length() > MOST_LINE) {
        throw new IOException("a line of more than " + MOST_LINE + " bytes");
      }
    }
    return "";
  }

  private static void say(SocketChannel client, String line) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap((line + "\r\n").getBytes(US_ASCII));
    while (bytes.hasRemaining()) {
      client.write(bytes);
    }
  }

  private static String answer(String line) {
    Matcher command = COMMAND.matcher(line);
    String name = command.find() ? command.group(1) : "";
    Matcher id = ID.matcher(line);
    String tail = id.find() ? ", \"id\": " + id.group(1) + "}" : "}";
    String answer = ANSWERS.get(name);
    if (answer == null) {
      return "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"blktapd-dm is no QEMU, and does"
          + " not know '"
          + name
          + "'\"}"
          + tail;
    }
    return "{\"return\": " + answer + tail;
  }

  /** Is not found any longer. */
  @Override
  public void close() throws IOException {
    try (server) {
      boolean unused = Files.deleteIfExists(path);
    }
  }
}
