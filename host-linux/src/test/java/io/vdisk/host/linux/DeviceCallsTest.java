package io.vdisk.host.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vdisk.file.host.HostSystem;
import io.vdisk.file.host.NativeDevice;
import io.vdisk.file.host.NativeException;
import io.vdisk.file.host.NativeMemory;
import io.vdisk.testkit.Requirements;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The calls for character devices, tried on pipes and files, which answer the same ones. */
@Tag("java22")
@Timeout(30)
class DeviceCallsTest {
  /** Bytes that wait in a pipe. Source: asm-generic/ioctls.h. */
  private static final long FIONREAD = 0x541b;

  private static final int ENODEV = 19;
  private static final int ENOTTY = 25;

  @TempDir Path folder;

  private HostSystem system;

  @BeforeEach
  void system() {
    system = HostSystem.installed().orElseThrow();
  }

  private NativeDevice pipe() throws Exception {
    Path pipe = folder.resolve("pipe");
    Path mkfifo = Requirements.need("mkfifo");
    assertEquals(0, new ProcessBuilder("" + mkfifo, "" + pipe).start().waitFor());
    return system.openDevice(pipe);
  }

  private static ByteBuffer direct(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
  }

  @Test
  void whatIsWrittenIsReadAndTellsWhoAwaits() throws Exception {
    try (NativeDevice pipe = pipe()) {
      CompletableFuture<Boolean> awaiting = awaiting(pipe);
      assertEquals(5, pipe.write(direct("hello")));
      assertTrue(awaiting.join());

      ByteBuffer read = ByteBuffer.allocateDirect(8);
      assertEquals(5, pipe.read(read));
      assertEquals(direct("hello"), read.flip());
    }
  }

  private static CompletableFuture<Boolean> awaiting(NativeDevice device) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return device.await();
          } catch (Exception e) {
            throw new CompletionException(e);
          }
        });
  }

  @Test
  void wakingEndsOneWaitAlsoOneThatBeginsLater() throws Exception {
    try (NativeDevice pipe = pipe()) {
      pipe.wake();
      assertFalse(pipe.await());

      CompletableFuture<Boolean> awaiting = awaiting(pipe);
      assertFalse(awaiting.isDone());
      pipe.wake();
      assertFalse(awaiting.join());
    }
  }

  @Test
  void closingEndsTheWait() throws Exception {
    NativeDevice pipe = pipe();
    CompletableFuture<Boolean> awaiting = awaiting(pipe);

    pipe.close();

    try {
      awaiting.join();
    } catch (CompletionException e) {
      assertEquals(ClosedChannelException.class, e.getCause().getClass(), "it had not begun");
    }
    assertThrows(ClosedChannelException.class, pipe::await);
    pipe.close();
    pipe.wake();
  }

  @Test
  void controlCallFillsAStructure() throws Exception {
    try (NativeDevice pipe = pipe()) {
      pipe.write(direct("hello"));
      ByteBuffer count = ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder());

      assertEquals(0, pipe.control(FIONREAD, count.position(4)));

      assertEquals(0, count.getInt(0));
      assertEquals(5, count.getInt(4));
    }
  }

  @Test
  void refusedControlCallSaysWhy() throws Exception {
    try (NativeDevice pipe = pipe()) {
      NativeException thrown = assertThrows(NativeException.class, () -> pipe.control(4711, 0));

      assertEquals(ENOTTY, thrown.errno());
      assertTrue(thrown.getMessage().startsWith("control call 4711: "), thrown.getMessage());
    }
  }

  @Test
  void mappingIsShared() throws Exception {
    Path file = Files.write(folder.resolve("file"), new byte[12_288]);
    try (NativeDevice device = system.openDevice(file);
        NativeMemory memory = device.map(4096, 8192)) {
      memory.buffer().putInt(4096, 42);

      assertEquals(8192, memory.buffer().capacity());
      byte[] bytes = Files.readAllBytes(file);
      assertEquals(42, ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).getInt(8192));
    }
  }

  @Test
  void mappingOutlivesItsDeviceAndThenIsNotThereAnyLonger() throws Exception {
    Path file = Files.write(folder.resolve("file"), new byte[4096]);
    NativeDevice device = system.openDevice(file);
    NativeMemory memory = device.map(0, 4096);
    device.close();
    memory.buffer().put(0, (byte) 1);

    memory.close();
    memory.close();

    assertThrows(IllegalStateException.class, () -> memory.buffer().get(0));
  }

  @Test
  void refusedMappingSaysWhy() throws Exception {
    try (NativeDevice pipe = pipe()) {
      NativeException thrown = assertThrows(NativeException.class, () -> pipe.map(8192, 4096));

      assertEquals(ENODEV, thrown.errno());
      assertTrue(
          thrown.getMessage().startsWith("mapping 4096 bytes at 8192: "), thrown.getMessage());
    }
  }

  @Test
  void addressIsThatOfTheBuffersFirstByteWhateverItsPosition() throws Exception {
    ByteBuffer count = ByteBuffer.allocateDirect(64).order(ByteOrder.nativeOrder());
    try (NativeDevice pipe = pipe()) {
      pipe.write(direct("abc"));

      int unused = pipe.control(FIONREAD, pipe.address(count.position(64)) + 8);

      assertEquals(3, count.getInt(8), "the kernel wrote where it was told");
      assertThrows(IllegalArgumentException.class, () -> pipe.address(ByteBuffer.allocate(8)));
    }
  }

  @Test
  void deviceThatIsNotThereIsNamed() {
    Path none = folder.resolve("none");

    NoSuchFileException thrown =
        assertThrows(NoSuchFileException.class, () -> system.openDevice(none));

    assertEquals(none.toString(), thrown.getMessage());
  }
}
