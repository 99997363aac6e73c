package io.vdisk.spi.struct;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A structure on disk: fields one after another, declared in order, each once. Offsets are summed,
 * not typed; {@link #describe} prints them for a test against the specification's table.
 *
 * <pre>{@code
 * static final Struct HEADER = Struct.bigEndian("qcow2 header");
 * static final Struct.U32 MAGIC = HEADER.u32("magic");
 * static final Struct.U64 BACKING_FILE_OFFSET = HEADER.u64("backing_file_offset");
 * static { HEADER.end(16); }
 * }</pre>
 *
 * <p>No reflection and no generated code: a structure costs as much at start-up as its fields'
 * objects do. A field reads and writes at {@code base + offset} of a buffer, whatever the buffer's
 * own byte order and position, which stay. Immutable after {@link #end}.
 */
public final class Struct {
  private final String name;
  private final ByteOrder order;
  private final List<Field> fields = new ArrayList<>();
  private int size;
  private boolean ended;

  private Struct(String name, ByteOrder order) {
    this.name = name;
    this.order = order;
  }

  /** A structure whose numbers have the most significant byte first. */
  public static Struct bigEndian(String name) {
    return new Struct(name, ByteOrder.BIG_ENDIAN);
  }

  /** A structure whose numbers have the least significant byte first. */
  public static Struct littleEndian(String name) {
    return new Struct(name, ByteOrder.LITTLE_ENDIAN);
  }

  /** One byte, 0 to 255. */
  public U8 u8(String field) {
    return add(new U8(field, size), 1);
  }

  /** Two bytes, 0 to 65,535. */
  public U16 u16(String field) {
    return add(new U16(field, size, order), 2);
  }

  /** Four bytes, 0 to 4,294,967,295. */
  public U32 u32(String field) {
    return add(new U32(field, size, order), 4);
  }

  /** Eight bytes. Values from 2^63 on come as negative numbers: check before use. */
  public U64 u64(String field) {
    return add(new U64(field, size, order), 8);
  }

  /** Bytes without a meaning of their own, reserved ones included. */
  public Bytes bytes(String field, int length) {
    return add(new Bytes(field, size, length), length);
  }

  /**
   * Ends the declaration.
   *
   * @param declaredSize the size that the specification gives
   * @throws IllegalStateException if the fields do not add up to it
   */
  public void end(int declaredSize) {
    if (size != declaredSize) {
      throw new IllegalStateException(
          name + ": fields add up to " + size + " bytes, declared are " + declaredSize);
    }
    ended = true;
  }

  /** Bytes of the structure. */
  public int size() {
    return size;
  }

  /** One line for each field: offset, size, name. */
  public String describe() {
    StringBuilder lines = new StringBuilder();
    for (Field field : fields) {
      lines.append(field.offset).append(' ').append(field.length).append(' ').append(field.name);
      lines.append('\n');
    }
    return lines.toString();
  }

  private <F extends Field> F add(F field, int length) {
    if (ended) {
      throw new IllegalStateException(name + " has been ended");
    }
    fields.add(field);
    size = Math.addExact(size, length);
    return field;
  }

  /** A field at a fixed offset. */
  public abstract static class Field {
    final String name;
    final int offset;
    final int length;

    private Field(String name, int offset, int length) {
      this.name = name;
      this.offset = offset;
      this.length = length;
    }

    /** Bytes from the structure's beginning. */
    public int offset() {
      return offset;
    }

    /** Bytes of the field. */
    public int length() {
      return length;
    }

    /** The specification's name. */
    public String name() {
      return name;
    }
  }

  /** One byte. */
  public static final class U8 extends Field {
    private U8(String name, int offset) {
      super(name, offset, 1);
    }

    /** The value in the structure that begins at {@code base}. */
    public int get(ByteBuffer buffer, int base) {
      return buffer.get(base + offset) & 0xff;
    }

    /** Sets the value, 0 to 255. */
    public void put(ByteBuffer buffer, int base, int value) {
      if (value < 0 || value > 0xff) {
        throw new IllegalArgumentException(name + " " + value);
      }
      buffer.put(base + offset, (byte) value);
    }
  }

  /** Two bytes. */
  public static final class U16 extends Field {
    private final boolean littleEndian;

    private U16(String name, int offset, ByteOrder order) {
      super(name, offset, 2);
      this.littleEndian = order == ByteOrder.LITTLE_ENDIAN;
    }

    /** The value in the structure that begins at {@code base}. */
    public int get(ByteBuffer buffer, int base) {
      short raw = buffer.getShort(base + offset);
      return (differs(buffer, littleEndian) ? Short.reverseBytes(raw) : raw) & 0xffff;
    }

    /** Sets the value, 0 to 65,535. */
    public void put(ByteBuffer buffer, int base, int value) {
      if (value < 0 || value > 0xffff) {
        throw new IllegalArgumentException(name + " " + value);
      }
      short raw = (short) value;
      buffer.putShort(base + offset, differs(buffer, littleEndian) ? Short.reverseBytes(raw) : raw);
    }
  }

  /** Four bytes. */
  public static final class U32 extends Field {
    private final boolean littleEndian;

    private U32(String name, int offset, ByteOrder order) {
      super(name, offset, 4);
      this.littleEndian = order == ByteOrder.LITTLE_ENDIAN;
    }

    /** The value in the structure that begins at {@code base}, never negative. */
    public long get(ByteBuffer buffer, int base) {
      int raw = buffer.getInt(base + offset);
      return Integer.toUnsignedLong(
          differs(buffer, littleEndian) ? Integer.reverseBytes(raw) : raw);
    }

    /** Sets the value, 0 to 2^32 - 1. */
    public void put(ByteBuffer buffer, int base, long value) {
      if (value >>> 32 != 0) {
        throw new IllegalArgumentException(name + " " + value);
      }
      int raw = (int) value;
      buffer.putInt(base + offset, differs(buffer, littleEndian) ? Integer.reverseBytes(raw) : raw);
    }
  }

  /** Eight bytes. */
  public static final class U64 extends Field {
    private final boolean littleEndian;

    private U64(String name, int offset, ByteOrder order) {
      super(name, offset, 8);
      this.littleEndian = order == ByteOrder.LITTLE_ENDIAN;
    }

    /** The value in the structure that begins at {@code base}; negative from 2^63 on. */
    public long get(ByteBuffer buffer, int base) {
      long raw = buffer.getLong(base + offset);
      return differs(buffer, littleEndian) ? Long.reverseBytes(raw) : raw;
    }

    /** Sets all 64 bits. */
    public void put(ByteBuffer buffer, int base, long value) {
      buffer.putLong(
          base + offset, differs(buffer, littleEndian) ? Long.reverseBytes(value) : value);
    }
  }

  /** A run of bytes. */
  public static final class Bytes extends Field {
    private Bytes(String name, int offset, int length) {
      super(name, offset, length);
    }

    /** A copy of the bytes in the structure that begins at {@code base}. */
    public byte[] get(ByteBuffer buffer, int base) {
      byte[] copy = new byte[length];
      buffer.get(base + offset, copy);
      return copy;
    }

    /** Sets the bytes; what {@code value} does not fill becomes zero. */
    public void put(ByteBuffer buffer, int base, byte[] value) {
      if (value.length > length) {
        throw new IllegalArgumentException(name + " of " + value.length + " bytes");
      }
      byte[] padded = new byte[length];
      System.arraycopy(value, 0, padded, 0, value.length);
      buffer.put(base + offset, padded);
    }

    /** The bytes up to the first zero, as ASCII. */
    public String ascii(ByteBuffer buffer, int base) {
      byte[] raw = get(buffer, base);
      int end = 0;
      while (end < raw.length && raw[end] != 0) {
        end++;
      }
      return new String(raw, 0, end, StandardCharsets.US_ASCII);
    }
  }

  private static boolean differs(ByteBuffer buffer, boolean littleEndian) {
    return (buffer.order() == ByteOrder.LITTLE_ENDIAN) != littleEndian;
  }
}
