package io.vdisk.format.vhdx;

import io.vdisk.spi.struct.Struct;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * One of the two headers: which state of the file it is, and where its log lies. Little-endian, 4
 * KiB. Source: [MS-VHDX] 2.2.2.
 *
 * @param sequenceNumber of two valid headers the one with the greater is current; unsigned
 * @param fileWriteGuid changes with the file
 * @param dataWriteGuid changes with what the guest sees; a child knows its parent by it
 * @param logGuid entries of the log have it; nil: there is nothing to replay
 * @param logVersion of the log; 0
 * @param logLength bytes of the log, a multiple of 1 MiB
 * @param logOffset where it begins, a multiple of 1 MiB
 */
record VhdxHeader(
    long sequenceNumber,
    Guid fileWriteGuid,
    Guid dataWriteGuid,
    Guid logGuid,
    int logVersion,
    int version,
    long logLength,
    long logOffset) {
  static final Struct STRUCT = Struct.littleEndian("VHDX header");
  static final Struct.U32 SIGNATURE = STRUCT.u32("Signature"); // "head"
  static final Struct.U32 CHECKSUM = STRUCT.u32("Checksum");
  static final Struct.U64 SEQUENCE_NUMBER = STRUCT.u64("SequenceNumber");
  static final Struct.Bytes FILE_WRITE_GUID = STRUCT.bytes("FileWriteGuid", Guid.BYTES);
  static final Struct.Bytes DATA_WRITE_GUID = STRUCT.bytes("DataWriteGuid", Guid.BYTES);
  static final Struct.Bytes LOG_GUID = STRUCT.bytes("LogGuid", Guid.BYTES);
  static final Struct.U16 LOG_VERSION = STRUCT.u16("LogVersion");
  static final Struct.U16 VERSION = STRUCT.u16("Version");
  static final Struct.U32 LOG_LENGTH = STRUCT.u32("LogLength");
  static final Struct.U64 LOG_OFFSET = STRUCT.u64("LogOffset");

  static {
    STRUCT.bytes("Reserved", 4016);
    STRUCT.end(4096);
  }

  /** "head". */
  static final long SIGNATURE_VALUE = 0x6461_6568L;

  /** The only version of the format. */
  static final int ONLY_VERSION = 1;

  /** The header in these 4 KiB; empty if signature or checksum are wrong. */
  static Optional<VhdxHeader> decode(ByteBuffer bytes) {
    if (SIGNATURE.get(bytes, 0) != SIGNATURE_VALUE
        || CHECKSUM.get(bytes, 0) != Crc.of(bytes, CHECKSUM)) {
      return Optional.empty();
    }
    return Optional.of(
        new VhdxHeader(
            SEQUENCE_NUMBER.get(bytes, 0),
            Guid.of(FILE_WRITE_GUID.get(bytes, 0)),
            Guid.of(DATA_WRITE_GUID.get(bytes, 0)),
            Guid.of(LOG_GUID.get(bytes, 0)),
            LOG_VERSION.get(bytes, 0),
            VERSION.get(bytes, 0),
            LOG_LENGTH.get(bytes, 0),
            LOG_OFFSET.get(bytes, 0)));
  }

  /** Its 4 KiB. */
  ByteBuffer encode() {
    ByteBuffer bytes = ByteBuffer.allocate(STRUCT.size());
    SIGNATURE.put(bytes, 0, SIGNATURE_VALUE);
    SEQUENCE_NUMBER.put(bytes, 0, sequenceNumber);
    FILE_WRITE_GUID.put(bytes, 0, fileWriteGuid.bytes());
    DATA_WRITE_GUID.put(bytes, 0, dataWriteGuid.bytes());
    LOG_GUID.put(bytes, 0, logGuid.bytes());
    LOG_VERSION.put(bytes, 0, logVersion);
    VERSION.put(bytes, 0, version);
    LOG_LENGTH.put(bytes, 0, logLength);
    LOG_OFFSET.put(bytes, 0, logOffset);
    CHECKSUM.put(bytes, 0, Crc.of(bytes, CHECKSUM));
    return bytes;
  }

  /** Whether it is newer than another one. */
  boolean isNewerThan(VhdxHeader other) {
    return Long.compareUnsigned(sequenceNumber, other.sequenceNumber) > 0;
  }

  VhdxHeader withSequenceNumber(long number) {
    return new VhdxHeader(
        number, fileWriteGuid, dataWriteGuid, logGuid, logVersion, version, logLength, logOffset);
  }

  VhdxHeader withFileWriteGuid(Guid guid) {
    return new VhdxHeader(
        sequenceNumber, guid, dataWriteGuid, logGuid, logVersion, version, logLength, logOffset);
  }

  VhdxHeader withDataWriteGuid(Guid guid) {
    return new VhdxHeader(
        sequenceNumber, fileWriteGuid, guid, logGuid, logVersion, version, logLength, logOffset);
  }

  VhdxHeader withLogGuid(Guid guid) {
    return new VhdxHeader(
        sequenceNumber, fileWriteGuid, dataWriteGuid, guid, 0, version, logLength, logOffset);
  }
}
