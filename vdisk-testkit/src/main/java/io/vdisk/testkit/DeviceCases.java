package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.BlockDevice;
import java.io.IOException;
import java.util.Optional;

/** One topic of {@link BlockDeviceContract}: the devices that it needs. */
abstract class DeviceCases extends Cases {
  final BlockDeviceContract contract;

  DeviceCases(BlockDeviceContract contract) {
    this.contract = contract;
  }

  /** Bytes that the format allocates at a time. */
  final int unit() {
    return contract.unit();
  }

  /** Four units and a part of a fifth. */
  final int size() {
    return 4 * unit() + contract.sizeStep();
  }

  /** An empty disk of {@link #size()} bytes. */
  final BlockDevice empty() throws IOException {
    return create(size());
  }

  /** A disk of no bytes; empty where the format has none, and refuses to make one. */
  final Optional<BlockDevice> ofNoBytes() throws IOException {
    if (contract.canHaveNoBytes()) {
      return Optional.of(create(0));
    }
    assertThrows(IllegalArgumentException.class, () -> create(0));
    return Optional.empty();
  }

  final BlockDevice create(long size) throws IOException {
    return closeLater(contract.create(size));
  }

  /** A disk full of {@code content}. */
  final BlockDevice holding(byte[] content) throws IOException {
    BlockDevice device = create(content.length);
    write(device, content, 0);
    return device;
  }

  final BlockDevice reopen(BlockDevice device, boolean writable) throws IOException {
    return closeLater(contract.reopen(device, writable));
  }
}
