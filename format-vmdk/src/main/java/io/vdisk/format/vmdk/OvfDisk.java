package io.vdisk.format.vmdk;

import io.vdisk.CorruptImageException;
import io.vdisk.UnsupportedImageException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.NamedNodeMap;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * The first disk that an OVF describes. Source: DSP0243 2.1, sections 7.1 and 9.1.
 *
 * @param href the name of its file in the archive
 * @param isGzip whether the file is compressed once more
 */
record OvfDisk(String href, boolean isGzip) {
  private static final String NO_DOCTYPE = "http://apache.org/xml/features/disallow-doctype-decl";

  /**
   * Reads a description. It can name nothing outside itself: declarations of types are refused.
   *
   * @param where names it in messages
   */
  static OvfDisk first(byte[] text, String where) throws IOException {
    Element root;
    try {
      DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
      factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
      factory.setFeature(NO_DOCTYPE, true);
      factory.setNamespaceAware(true);
      DocumentBuilder builder = factory.newDocumentBuilder();
      builder.setErrorHandler(null); // which would print
      root = builder.parse(new ByteArrayInputStream(text)).getDocumentElement();
    } catch (SAXException e) {
      throw new CorruptImageException(where + ": its description is broken: " + e.getMessage(), e);
    } catch (ParserConfigurationException e) {
      throw new AssertionError("every JDK can", e);
    }
    for (Element disk : elements(root, "Disk")) {
      String id = attribute(disk, "fileRef");
      if (!id.isEmpty()) {
        return of(root, id, attribute(disk, "format"), where);
      }
    }
    throw new UnsupportedImageException(where + " describes no disk that has a file");
  }

  private static OvfDisk of(Element root, String id, String format, String where)
      throws IOException {
    if (!format.isEmpty() && !format.contains("vmdk")) {
      throw new UnsupportedImageException(where + ": its disk has the format " + format);
    }
    for (Element file : elements(root, "File")) {
      if (attribute(file, "id").equals(id)) {
        String compression = attribute(file, "compression");
        boolean isGzip = compression.equals("gzip");
        if (!isGzip && !compression.isEmpty() && !compression.equals("identity")) {
          throw new UnsupportedImageException(where + ": its disk is compressed as " + compression);
        }
        if (!attribute(file, "chunkSize").isEmpty()) {
          throw new UnsupportedImageException(where + ": its disk is cut into chunks");
        }
        return new OvfDisk(attribute(file, "href"), isGzip);
      }
    }
    throw new CorruptImageException(where + ": no file has the id " + id + " of its disk");
  }

  /** Elements of this name, in order, whatever their namespace: it differs between versions. */
  private static List<Element> elements(Element root, String name) {
    List<Element> found = new ArrayList<>();
    NodeList all = root.getElementsByTagNameNS("*", name);
    for (int i = 0; i < all.getLength(); i++) {
      if (all.item(i) instanceof Element element) {
        found.add(element);
      }
    }
    return found;
  }

  private static String attribute(Element element, String name) {
    NamedNodeMap all = element.getAttributes();
    for (int i = 0; i < all.getLength(); i++) {
      Node attribute = all.item(i);
      if (name.equals(attribute.getLocalName())) {
        return attribute.getNodeValue();
      }
    }
    return "";
  }
}
