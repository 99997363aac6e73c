package io.vdisk.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vdisk.BlockDevice;
import io.vdisk.UnsupportedImageException;
import io.vdisk.file.HostFile;
import io.vdisk.spi.ImageFormat;
import io.vdisk.spi.OpenContext;
import io.vdisk.spi.Probe;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Enumeration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How often a file is asked what it is, seen by a format that is installed beside the others. */
class ProbeCountTest {
  /** Knows no file, and counts those that it was shown. */
  public static final class CountingFormat implements ImageFormat {
    public static final AtomicInteger PROBES = new AtomicInteger();

    @Override
    public String name() {
      return "counting";
    }

    @Override
    public Probe probe(HostFile file) {
      PROBES.incrementAndGet();
      return Probe.NO;
    }

    @Override
    public BlockDevice open(HostFile file, OpenContext context) throws IOException {
      throw new UnsupportedImageException(file.name());
    }
  }

  /** Has the format in no module, where a service file is looked for. */
  private static final class Beside extends ClassLoader {
    private static final String NAME = CountingFormat.class.getName();
    private final Path services;

    Beside(Path services) {
      super(ProbeCountTest.class.getClassLoader());
      this.services = services;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (!name.equals(NAME)) {
        return super.loadClass(name, resolve);
      }
      Class<?> known = findLoadedClass(name);
      return known != null ? known : define();
    }

    private Class<?> define() throws ClassNotFoundException {
      String file = NAME.substring(NAME.lastIndexOf('.') + 1) + ".class";
      try (InputStream in = ProbeCountTest.class.getResourceAsStream(file)) {
        byte[] bytes = in.readAllBytes();
        return defineClass(NAME, bytes, 0, bytes.length);
      } catch (IOException e) {
        throw new ClassNotFoundException(NAME, e);
      }
    }

    @Override
    public Enumeration<URL> getResources(String name) throws IOException {
      return name.equals("META-INF/services/" + ImageFormat.class.getName())
          ? Collections.enumeration(Collections.singleton(services.toUri().toURL()))
          : super.getResources(name);
    }
  }

  @TempDir Path folder;
  private final ClassLoader before = Thread.currentThread().getContextClassLoader();
  private Shell shell;
  private AtomicInteger probes;

  @BeforeEach
  void install() throws Exception {
    shell = new Shell(folder.toRealPath());
    shell.disk("/disk", 1 << 20);
    assertEquals(0, shell.run(Vdisk::run, "convert -f raw -O qcow2 /disk /image".split(" ")));
    Beside beside = new Beside(Files.writeString(folder.resolve("services"), Beside.NAME));
    probes = (AtomicInteger) beside.loadClass(Beside.NAME).getField("PROBES").get(null);
    Thread.currentThread().setContextClassLoader(beside);
  }

  @AfterEach
  void uninstall() {
    Thread.currentThread().setContextClassLoader(before);
  }

  @ParameterizedTest
  @CsvSource({
    "convert -O raw /image /copy, 1",
    "convert -O raw /disk /copy, 1",
    "convert -O vmdk -o subformat=streamOptimized /image /copy, 1",
    "convert -f qcow2 -O raw /image /copy, 0",
    "info /image, 1",
    "resize /image 2M, 1",
  })
  void fileIsAskedOnceAtMostWhatItIs(String words, int times) {
    assertEquals(0, shell.run(Vdisk::run, words.split(" ")), () -> shell.err);

    assertEquals(times, probes.get());
  }
}
