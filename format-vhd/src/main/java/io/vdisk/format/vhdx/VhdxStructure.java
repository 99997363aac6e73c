package io.vdisk.format.vhdx;

import io.vdisk.CorruptImageException;
import io.vdisk.Limits;
import io.vdisk.file.HostFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What headers, region table and metadata say, all of it checked.
 *
 * @param ranges what lies where besides blocks
 * @param oddities what a check warns of
 */
record VhdxStructure(
    RegionTable regions,
    RegionTable.Region bat,
    RegionTable.Region metadataRegion,
    MetadataTable metadata,
    DiskParameters disk,
    FileRanges ranges,
    List<String> oddities) {

  /**
   * Reads it.
   *
   * @param file as it is when the log was replayed
   */
  static VhdxStructure read(HostFile file, VhdxHeader header, Limits limits) throws IOException {
    FileRanges ranges = new FileRanges(file.name());
    if (header.logLength() != 0) {
      ranges.add("the log", header.logOffset(), header.logLength());
    }
    RegionTable regions = RegionTable.read(file, ranges);
    RegionTable.Region bat = regions.require(RegionTable.BAT, "BAT", file);
    RegionTable.Region region = regions.require(RegionTable.METADATA, "metadata", file);
    MetadataTable metadata = MetadataTable.read(file, region);
    DiskParameters disk = DiskParameters.read(file, region, metadata, limits);
    long entries = BatGeometry.of(disk).entries(disk.parent().isPresent());
    if (entries * Long.BYTES > bat.length()) {
      throw new CorruptImageException(
          file.name() + ": a BAT of " + bat.length() + " bytes has no room for " + entries);
    }
    limits.checkTable("BAT", entries * Long.BYTES, file.name());
    // Without a parent nothing but the entries of the disk is ever looked at.
    if (bat.offset() + entries * Long.BYTES > file.size()) {
      throw new CorruptImageException(file.name() + ": the BAT is past the end");
    }
    return new VhdxStructure(
        regions, bat, region, metadata, disk, ranges, new ArrayList<>(regions.oddities()));
  }
}
