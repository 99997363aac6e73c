package io.vdisk.tools;

import io.vdisk.backend.tap.control.BlktapDevices;
import io.vdisk.backend.tap.control.ControlledDisk;
import io.vdisk.backend.tap.control.Disks;
import io.vdisk.backend.tap.control.TapDisks;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A tapdisk where the host never answers the closing of minor 0, and is not waited for long. */
final class StuckTapdisk {
  private StuckTapdisk() {}

  public static void main(String[] args) {
    Tapdisk.main(
        List.of(args),
        new Tapdisk.Surroundings(
            (policy, sockets) -> {
              Disks disks = new TapDisks(policy, sockets);
              return minor -> minor == 0 ? stuck(disks.attach(minor)) : disks.attach(minor);
            },
            BlktapDevices.none(),
            Duration.ofSeconds(1)));
  }

  private static ControlledDisk stuck(ControlledDisk disk) {
    return (ControlledDisk)
        Proxy.newProxyInstance(
            ControlledDisk.class.getClassLoader(),
            new Class<?>[] {ControlledDisk.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("close")) {
                new CompletableFuture<Void>().join();
              }
              try {
                return method.invoke(disk, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}
