package io.vdisk.spi.struct;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class StructTest {
  private static final byte[] ONE_TO_SIXTEEN = {
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
  };

  private static Struct[] both() {
    return new Struct[] {Struct.bigEndian("big"), Struct.littleEndian("little")};
  }

  @Test
  void describesOffsetLengthAndNameOfEachField() {
    Struct struct = Struct.bigEndian("header");
    struct.u32("magic");
    struct.u16("version");
    struct.u8("kind");
    struct.bytes("reserved", 9);
    struct.u64("size");
    struct.end(24);
    assertEquals("0 4 magic\n4 2 version\n6 1 kind\n7 9 reserved\n16 8 size\n", struct.describe());
    assertEquals(24, struct.size());
  }

  @Test
  void fieldsThatDoNotAddUpToTheSizeAreRefused() {
    Struct struct = Struct.bigEndian("header");
    struct.u32("magic");
    IllegalStateException e = assertThrows(IllegalStateException.class, () -> struct.end(8));
    assertEquals("header: fields add up to 4 bytes, declared are 8", e.getMessage());
  }

  @Test
  void nothingIsAddedBehindTheEnd() {
    Struct struct = Struct.bigEndian("header");
    struct.end(0);
    assertThrows(IllegalStateException.class, () -> struct.u8("more"));
  }

  @Test
  void numbersAreReadInTheStructsOrderWhateverTheBuffers() {
    for (ByteOrder order : new ByteOrder[] {ByteOrder.BIG_ENDIAN, ByteOrder.LITTLE_ENDIAN}) {
      ByteBuffer buffer = ByteBuffer.wrap(ONE_TO_SIXTEEN).order(order);
      Struct big = Struct.bigEndian("big");
      assertEquals(2, big.u8("a").get(buffer, 1));
      assertEquals(0x0304, big.u16("b").get(buffer, 1));
      assertEquals(0x05060708, big.u32("c").get(buffer, 1));
      assertEquals(0x090a0b0c0d0e0f10L, big.u64("d").get(buffer, 1));
      Struct little = Struct.littleEndian("little");
      assertEquals(1, little.u8("a").get(buffer, 0));
      assertEquals(0x0302, little.u16("b").get(buffer, 0));
      assertEquals(0x07060504, little.u32("c").get(buffer, 0));
      assertEquals(0x0f0e0d0c0b0a0908L, little.u64("d").get(buffer, 0));
    }
  }

  @Test
  void whatIsPutComesBack() {
    for (Struct struct : both()) {
      Struct.U8 u8 = struct.u8("u8");
      Struct.U16 u16 = struct.u16("u16");
      Struct.U32 u32 = struct.u32("u32");
      Struct.U64 u64 = struct.u64("u64");
      for (ByteOrder order : new ByteOrder[] {ByteOrder.BIG_ENDIAN, ByteOrder.LITTLE_ENDIAN}) {
        ByteBuffer buffer = ByteBuffer.allocate(struct.size() + 3).order(order);
        u8.put(buffer, 3, 0xff);
        u16.put(buffer, 3, 0xfffe);
        u32.put(buffer, 3, 0xffff_fffdL);
        u64.put(buffer, 3, -4);
        assertEquals(0xff, u8.get(buffer, 3));
        assertEquals(0xfffe, u16.get(buffer, 3));
        assertEquals(0xffff_fffdL, u32.get(buffer, 3));
        assertEquals(-4, u64.get(buffer, 3));
        assertEquals(0, buffer.position());
      }
    }
  }

  @Test
  void valuesThatDoNotFitAreRefused() {
    Struct struct = Struct.bigEndian("header");
    ByteBuffer buffer = ByteBuffer.allocate(32);
    Struct.U8 u8 = struct.u8("u8");
    Struct.U16 u16 = struct.u16("u16");
    Struct.U32 u32 = struct.u32("u32");
    Struct.Bytes bytes = struct.bytes("bytes", 2);
    assertThrows(IllegalArgumentException.class, () -> u8.put(buffer, 0, 256));
    assertThrows(IllegalArgumentException.class, () -> u8.put(buffer, 0, -1));
    assertThrows(IllegalArgumentException.class, () -> u16.put(buffer, 0, 65_536));
    assertThrows(IllegalArgumentException.class, () -> u32.put(buffer, 0, 1L << 32));
    assertThrows(IllegalArgumentException.class, () -> u32.put(buffer, 0, -1));
    assertThrows(IllegalArgumentException.class, () -> bytes.put(buffer, 0, new byte[3]));
  }

  @Test
  void bytesArePaddedWithZeroesAndReadAsText() {
    Struct struct = Struct.bigEndian("header");
    Struct.Bytes name = struct.bytes("name", 6);
    ByteBuffer buffer = ByteBuffer.wrap(ONE_TO_SIXTEEN.clone());
    name.put(buffer, 2, new byte[] {'a', 'b', 'c'});
    assertArrayEquals(new byte[] {'a', 'b', 'c', 0, 0, 0}, name.get(buffer, 2));
    assertEquals("abc", name.ascii(buffer, 2));
    assertEquals(9, buffer.get(8));
    name.put(buffer, 2, new byte[] {'a', 'b', 'c', 'd', 'e', 'f'});
    assertEquals("abcdef", name.ascii(buffer, 2));
    assertEquals(6, name.length());
    assertEquals(0, name.offset());
    assertEquals("name", name.name());
  }
}
