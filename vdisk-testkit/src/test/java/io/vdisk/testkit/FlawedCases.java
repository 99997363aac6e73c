package io.vdisk.testkit;

import io.vdisk.BlockDevice;
import io.vdisk.testkit.FlawedDevice.Flaw;
import java.io.IOException;
import java.util.Optional;

/**
 * Contracts on flawed devices. Not run by themselves: {@link ContractsBiteTest} wants them to fail.
 */
final class FlawedCases {
  /** What is wrong in the run that goes on in this thread. */
  static final ThreadLocal<Flaw> FLAW = new ThreadLocal<>();

  private FlawedCases() {}

  private static BlockDevice open(PlainImage image, boolean writable) {
    return new FlawedDevice(image.open(writable, Optional.empty()), FLAW.get());
  }

  private static BlockDevice again(BlockDevice device, boolean writable) throws IOException {
    device.close();
    return open(((PlainImage.Device) ((FlawedDevice) device).device()).image(), writable);
  }

  static class Contract extends BlockDeviceContract {
    @Override
    protected BlockDevice create(long size) {
      return open(new PlainImage(size), true);
    }

    @Override
    protected BlockDevice reopen(BlockDevice device, boolean writable) throws IOException {
      return again(device, writable);
    }

    @Override
    protected int unit() {
      return PlainImage.UNIT;
    }
  }

  static class Model extends BlockDeviceModel {
    @Override
    protected BlockDevice create() {
      return open(new PlainImage(size()), true);
    }

    @Override
    protected BlockDevice reopen(BlockDevice device) throws IOException {
      return again(device, true);
    }

    @Override
    protected int unit() {
      return PlainImage.UNIT;
    }
  }
}
