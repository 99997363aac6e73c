package io.vdisk.backend.tap.disk;

import java.io.StringReader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;
import org.jspecify.annotations.Nullable;

/**
 * Reads the disks of libvirt: one {@code <disk>}, or all of a {@code <domain>}.
 *
 * <pre>
 * &lt;disk type='file' device='disk'&gt;
 *   &lt;driver name='tap' type='aio'/&gt;  &lt;source file='/path'/&gt;  &lt;target dev='xvda'/&gt;
 *   [&lt;readonly/&gt;]  [&lt;shareable/&gt;]
 * &lt;/disk&gt;
 * </pre>
 *
 * <p>No command reads such documents: it is for programs that take guests over from libvirt, and
 * open each {@link DiskSpec#descriptor()}.
 *
 * <p>A document type declaration is refused, so nothing is expanded or fetched. One thread.
 */
public final class LibvirtDisk {
  /** Longest document, characters: ours; a guest's is a few thousand. */
  private static final int MOST_CHARACTERS = 1 << 20;

  private boolean isBlock;
  private boolean isCdrom;
  private @Nullable String driver;
  private @Nullable String type;
  private String source = "";
  private String vdev = "";
  private Access access = Access.READ_WRITE;

  private LibvirtDisk() {}

  /**
   * The disks of a document, in its order.
   *
   * @throws DiskException if it is no such document
   */
  public static List<DiskSpec> parse(String xml) throws DiskException {
    if (xml.length() > MOST_CHARACTERS) {
      throw trouble("it is longer than " + MOST_CHARACTERS + " characters");
    }
    try {
      return disks(factory().createXMLStreamReader(new StringReader(xml)));
    } catch (XMLStreamException e) {
      throw new DiskException(
          Errno.EINVAL,
          "libvirt's description of a disk is no XML, line "
              + e.getLocation().getLineNumber()
              + ", column "
              + e.getLocation().getColumnNumber(),
          e);
    }
  }

  private static XMLInputFactory factory() {
    XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
    factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
    factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
    return factory;
  }

  private static List<DiskSpec> disks(XMLStreamReader reader)
      throws XMLStreamException, DiskException {
    List<DiskSpec> disks = new ArrayList<>();
    while (reader.hasNext()) {
      int event = reader.next();
      if (event == XMLStreamConstants.DTD) {
        throw trouble("it has a document type declaration");
      }
      if (event == XMLStreamConstants.START_ELEMENT && reader.getLocalName().equals("disk")) {
        disks.add(new LibvirtDisk().read(reader));
      }
    }
    if (disks.isEmpty()) {
      throw trouble("there is no <disk> in it");
    }
    return disks;
  }

  private DiskSpec read(XMLStreamReader reader) throws XMLStreamException, DiskException {
    isBlock = "block".equals(attribute(reader, "type"));
    isCdrom = "cdrom".equals(attribute(reader, "device"));
    int depth = 0;
    while (depth >= 0) {
      int event = reader.next();
      if (event == XMLStreamConstants.END_ELEMENT) {
        depth--;
      } else if (event == XMLStreamConstants.START_ELEMENT) {
        if (depth == 0) {
          element(reader);
        }
        depth++;
      }
    }
    return result();
  }

  private void element(XMLStreamReader reader) {
    switch (reader.getLocalName()) {
      case "driver" -> {
        driver = attribute(reader, "name");
        type = attribute(reader, "type");
      }
      case "source" -> {
        String file = attribute(reader, "file");
        String path = file == null ? attribute(reader, "dev") : file;
        source = path == null ? "" : path;
      }
      case "target" -> {
        String dev = attribute(reader, "dev");
        vdev = dev == null ? "" : dev;
      }
      case "readonly" -> access = Access.READ_ONLY;
      case "shareable" -> access = access == Access.READ_ONLY ? access : Access.SHARED;
      default -> {} // of no concern to a driver: address, alias, boot ...
    }
  }

  private static @Nullable String attribute(XMLStreamReader reader, String name) {
    return reader.getAttributeValue(null, name);
  }

  private DiskSpec result() throws DiskException {
    if (vdev.isEmpty()) {
      throw trouble("a <disk> has no <target dev='...'/>");
    }
    if (source.isEmpty() && !isCdrom) {
      throw trouble("the disk " + vdev + " has no <source file='...'/> or <source dev='...'/>");
    }
    Map<String, String> settings = new LinkedHashMap<>();
    return new DiskSpec(
        driverType(), source, vdev, isCdrom, access, Optional.ofNullable(driver), settings);
  }

  /** libvirt calls VHD after its maker, and writes what xm had before the driver's name too. */
  private String driverType() {
    if (type == null) {
      return isBlock ? "phy" : "file";
    }
    String name = type.startsWith("tapdisk:") ? type.substring("tapdisk:".length()) : type;
    return switch (name) {
      case "raw" -> isBlock ? "phy" : "aio";
      case "vpc" -> "vhd";
      default -> name;
    };
  }

  private static DiskException trouble(String what) {
    return new DiskException(Errno.EINVAL, "libvirt's description of a disk: " + what);
  }
}
