package com.example.consumer;

import io.vdisk.ImageException;
import io.vdisk.Images;
import io.vdisk.spi.ImageFormat;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.TreeSet;

/** Runs {@link ReadDisk}, or without arguments names the formats, and tells of new threads. */
public final class Watched {
  private Watched() {}

  /** Exits with 1 if the image was refused. */
  public static void main(String[] args) throws IOException {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    long before = threads.getTotalStartedThreadCount();
    boolean refused = false;
    try {
      if (args.length > 0) {
        ReadDisk.main(args);
      } else {
        TreeSet<String> names = new TreeSet<>();
        for (ImageFormat format : Images.formats()) {
          names.add(format.name());
        }
        System.out.println(String.join(" ", names));
      }
    } catch (ImageException e) {
      refused = true;
      System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage());
    }
    System.out.println("threads started: " + (threads.getTotalStartedThreadCount() - before));
    if (refused) {
      System.exit(1);
    }
  }
}
