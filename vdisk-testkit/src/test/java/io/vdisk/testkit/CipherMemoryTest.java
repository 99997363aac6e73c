package io.vdisk.testkit;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.vdisk.spi.codec.AesSectors;
import io.vdisk.spi.codec.SectorIv;
import io.vdisk.spi.codec.SectorNumber;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The ciphers allocate nothing for a request. */
class CipherMemoryTest {
  private static final ThreadMXBean MEMORY = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int CALLS = 200;

  @Test
  void nothingIsAllocatedOnceTheWorkSpaceExists() {
    byte[] key = new byte[32];
    for (AesSectors cipher :
        List.of(
            AesSectors.xts(key, SectorIv.PLAIN64, 512, SectorNumber.GUEST),
            AesSectors.cbc(key, SectorIv.ESSIV_SHA256, 512, SectorNumber.GUEST))) {
      ByteBuffer data = ByteBuffer.allocateDirect(64 << 10);
      ByteBuffer target = ByteBuffer.allocateDirect(64 << 10);
      use(cipher, data, target);
      long before = MEMORY.getCurrentThreadAllocatedBytes();
      use(cipher, data, target);
      long allocated = MEMORY.getCurrentThreadAllocatedBytes() - before;
      assertTrue(allocated < 128 * CALLS, allocated + " bytes in " + 2 * CALLS + " calls");
    }
  }

  private static void use(AesSectors cipher, ByteBuffer data, ByteBuffer target) {
    for (int i = 0; i < CALLS; i++) {
      cipher.decrypt(data.clear(), i);
      cipher.encrypt(data.clear(), target.clear(), i);
    }
  }
}
