package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;

/** One topic of {@link BackingContract}: a backing device that must not change, and its child. */
abstract class BackingCases extends Cases {
  final BackingContract contract;

  /** What {@link #backing()} holds. */
  final byte[] below;

  private final ArrayDisk backing;

  BackingCases(BackingContract contract) {
    this.contract = contract;
    this.below = bytes(size(), 1000);
    this.backing = new ArrayDisk(below);
  }

  final int unit() {
    return contract.unit();
  }

  /** Four units and a part of a fifth. */
  final int size() {
    return 4 * unit() + contract.sizeStep();
  }

  final ArrayDisk backing() {
    return backing;
  }

  /** An empty child over {@link #backing()}. */
  final BlockDevice child() throws IOException {
    return child(size(), backing);
  }

  final BlockDevice child(long size, BlockDevice over) throws IOException {
    return closeLater(contract.create(size, over));
  }

  final BlockDevice reopen(BlockDevice device, BlockDevice over) throws IOException {
    return closeLater(contract.reopen(device, over, true));
  }

  /** What an empty child of {@code size} bytes reads as over the first {@code length} of below. */
  final byte[] over(int length, int size) {
    return Arrays.copyOf(Arrays.copyOf(below, length), size);
  }

  @AfterEach
  final void nobodyChangesOrClosesTheBacking() throws IOException {
    assertEquals(0, backing.changes(), "changes of the backing device");
    assertFalse(backing.isClosed(), "the backing device was closed");
    assertHolds(below, backing);
  }
}
