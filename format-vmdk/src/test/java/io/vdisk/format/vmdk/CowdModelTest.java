package io.vdisk.format.vmdk;

class CowdModelTest extends VmdkModelTest {
  @Override
  VmdkSubject vmdk() {
    return VmdkSubject.separate("vmfsSparse", "grain_size=4096");
  }
}
