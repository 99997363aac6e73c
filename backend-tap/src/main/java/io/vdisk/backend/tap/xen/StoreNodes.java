package io.vdisk.backend.tap.xen;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The nodes of Xen's store, as they are, or as a transaction sees them. Paths are absolute. Every
 * operation fails with a {@link StoreException} whose sentence names the path. Any thread may call.
 */
public class StoreNodes {
  private static final Pattern PERMISSION = Pattern.compile("[rwbn][0-9]{1,5}");

  /** How often a list that changes while its parts are read is read again. */
  private static final int MOST_LISTINGS = 20;

  private final StoreConnection connection;
  private final int transaction;

  StoreNodes(StoreConnection connection, int transaction) {
    this.connection = connection;
    this.transaction = transaction;
  }

  final StoreConnection connection() {
    return connection;
  }

  final byte[] ask(StoreOperation operation, byte[] payload, String what) throws IOException {
    return connection.ask(operation, transaction, payload, what);
  }

  private byte[] ask(StoreOperation operation, String path) throws IOException {
    return ask(operation, StoreText.terminated(StoreText.path(path)), path);
  }

  /** What a node holds; ENOENT if there is none. */
  public final String read(String path) throws IOException {
    return StoreText.value(ask(StoreOperation.READ, path), path);
  }

  /** What a node holds; empty if there is none. */
  public final Optional<String> find(String path) throws IOException {
    try {
      return Optional.of(read(path));
    } catch (StoreException e) {
      return nothing(e, Optional.empty());
    }
  }

  /** The names of a node's children, of any number; none if there is no such node. */
  public final List<String> children(String path) throws IOException {
    try {
      return StoreText.list(ask(StoreOperation.DIRECTORY, path), path);
    } catch (StoreException e) {
      return e.is(StoreException.E2BIG) ? childrenInParts(path) : nothing(e, List.of());
    }
  }

  /** A part begins with the generation of the node; the last one ends in an empty name. */
  private List<String> childrenInParts(String path) throws IOException {
    for (int listing = 0; listing < MOST_LISTINGS; listing++) {
      List<String> names = new ArrayList<>();
      String generation = "";
      int offset = 0;
      while (true) {
        byte[] payload = StoreText.terminated(StoreText.path(path), Integer.toString(offset));
        List<String> part = StoreText.list(ask(StoreOperation.DIRECTORY_PART, payload, path), path);
        if (part.isEmpty() || (offset > 0 && !part.get(0).equals(generation))) {
          break;
        }
        generation = part.get(0);
        for (String name : part.subList(1, part.size())) {
          if (name.isEmpty()) {
            return names;
          }
          names.add(name);
          offset += name.getBytes(StandardCharsets.UTF_8).length + 1;
        }
        if (part.size() == 1) {
          return names;
        }
      }
    }
    throw new StoreException(
        StoreException.EAGAIN, path + ": its list changed " + MOST_LISTINGS + " times meanwhile");
  }

  private static <T> T nothing(StoreException e, T nothing) throws StoreException {
    if (e.is(StoreException.ENOENT)) {
      return nothing;
    }
    throw e;
  }

  /** Makes a node hold a value; nodes above it are made where they are missing. */
  public final void write(String path, String value) throws IOException {
    ask(StoreOperation.WRITE, StoreText.assignment(StoreText.path(path), value), path);
  }

  /** Makes an empty node, unless it is there. */
  public final void make(String path) throws IOException {
    ask(StoreOperation.MKDIR, path);
  }

  /** Removes a node and all below it, if it is there. */
  public final void remove(String path) throws IOException {
    try {
      ask(StoreOperation.RM, path);
    } catch (StoreException e) {
      Object unused = nothing(e, path); // the one above it is missing, too
    }
  }

  /**
   * Who may do what: first the owner with what all others may, then domains and what they may; a
   * letter of {@code n} nothing, {@code r} read, {@code w} write, {@code b} both, and a domain.
   */
  public final List<String> permissions(String path) throws IOException {
    return StoreText.list(ask(StoreOperation.GET_PERMS, path), path);
  }

  /** Says who may do what, as {@link #permissions}. Nodes that are made below are so, too. */
  public final void setPermissions(String path, List<String> permissions) throws IOException {
    List<String> texts = new ArrayList<>();
    texts.add(StoreText.path(path));
    for (String permission : permissions) {
      if (!PERMISSION.matcher(permission).matches()) {
        throw new IllegalArgumentException(
            "'" + permission + "' is no permission, as n0 and r1 are");
      }
      texts.add(permission);
    }
    ask(StoreOperation.SET_PERMS, StoreText.terminated(texts.toArray(String[]::new)), path);
  }
}
