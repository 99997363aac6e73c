package io.vdisk.file.host;

import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/** Holds the answer of the look-up, which happens when this class is first used. */
final class InstalledSystem {
  static final Optional<HostSystem> FOUND = find();

  private InstalledSystem() {}

  private static Optional<HostSystem> find() {
    try {
      return ServiceLoader.load(HostSystem.class, HostSystem.class.getClassLoader()).stream()
          .map(ServiceLoader.Provider::get)
          .filter(HostSystem::isAvailable)
          .findFirst();
    } catch (ServiceConfigurationError | LinkageError e) {
      return Optional.empty();
    }
  }
}
