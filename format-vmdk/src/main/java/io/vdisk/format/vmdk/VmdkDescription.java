package io.vdisk.format.vmdk;

import io.vdisk.Geometry;
import io.vdisk.ImageInfo;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** What an image says of itself; keys are those of {@code qemu-img info} where that has them. */
final class VmdkDescription {
  private static final String CID = "cid";

  private VmdkDescription() {}

  static ImageInfo of(VmdkImage image) throws IOException {
    long unit =
        image.extents().stream().mapToLong(placed -> placed.extent().unit()).max().orElse(1);
    ImageInfo.Builder info = ImageInfo.builder(VmdkFormat.NAME, image.size(), unit);
    Optional<Descriptor> descriptor = image.descriptor();
    if (descriptor.isPresent()) {
      Descriptor text = descriptor.get();
      info.detail("create-type", text.createType().orElse(""));
      info.detail(CID, text.cid());
      info.detail("parent-cid", text.parentCid());
      geometry(text).ifPresent(info::geometry);
      info.backing(image.parent());
      text.find("ddb.adapterType").ifPresent(type -> info.detail("adapter-type", type));
      text.find("ddb.virtualHWVersion").ifPresent(version -> info.detail("hwversion", version));
      text.find("ddb.toolsVersion").ifPresent(version -> info.detail("toolsversion", version));
    }
    List<Map<String, Object>> extents = new ArrayList<>();
    for (PlacedExtent placed : image.extents()) {
      extents.add(extent(placed));
    }
    return info.detail("extents", extents).build();
  }

  private static Map<String, Object> extent(PlacedExtent placed) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("filename", placed.extent().file().map(f -> f.name()).orElse(""));
    fields.put("format", placed.line().type().toString());
    fields.put("virtual-size", placed.extent().size());
    if (placed.extent().unit() > 1) {
      fields.put("cluster-size", placed.extent().unit());
    }
    if (placed.extent() instanceof CompressedExtent) {
      fields.put("compressed", true);
    }
    return fields;
  }

  /** The CID of an image, as {@link #of} has put it; empty if it is none of ours. */
  static Optional<Long> cid(ImageInfo info) {
    return info.format().equals(VmdkFormat.NAME) && info.details().get(CID) instanceof Long cid
        ? Optional.of(cid)
        : Optional.empty();
  }

  private static Optional<Geometry> geometry(Descriptor text) {
    Optional<Integer> cylinders = number(text, "cylinders");
    Optional<Integer> heads = number(text, "heads");
    Optional<Integer> sectors = number(text, "sectors");
    return cylinders.isPresent() && heads.isPresent() && sectors.isPresent()
        ? Optional.of(new Geometry(cylinders.get(), heads.get(), sectors.get()))
        : Optional.empty();
  }

  private static Optional<Integer> number(Descriptor text, String field) {
    return text.find("ddb.geometry." + field.toLowerCase(Locale.ROOT))
        .filter(value -> value.matches("[0-9]{1,9}"))
        .map(Integer::valueOf);
  }
}
