package io.vdisk.backend.tap.xen;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A message between the store and a client ({@code xs_wire.h}, struct xsd_sockmsg). Integers are in
 * the byte order of the host. Immutable.
 *
 * <pre>
 *  offset
 *   0   u32  type, see {@link StoreOperation}
 *   4   u32  number of the request, repeated in its answer; 0 in an event
 *   8   u32  transaction; 0 for none
 *  12   u32  bytes that follow, 4096 at most
 *  16        texts, most of them ended by a zero byte
 * </pre>
 */
final class StoreMessage {
  static final int HEADER_BYTES = 16;

  /** XENSTORE_PAYLOAD_MAX: who sends more is hung up on. */
  static final int MOST_BYTES = 4096;

  /** The kernel's device takes a message of 4096 bytes with its header (xenbus_dev_frontend.c). */
  static final int MOST_SENT_BYTES = MOST_BYTES - HEADER_BYTES;

  private static final int TYPE = 0;
  private static final int REQUEST = 4;
  private static final int TRANSACTION = 8;
  private static final int LENGTH = 12;

  private final int type;
  private final int request;
  private final int transaction;
  private final byte[] payload;

  StoreMessage(int type, int request, int transaction, byte[] payload) {
    this.type = type;
    this.request = request;
    this.transaction = transaction;
    this.payload = payload.clone();
  }

  /**
   * The bytes that follow a header.
   *
   * @throws StoreException if these are more than a message has
   */
  static int length(ByteBuffer header) throws StoreException {
    int length = ordered(header).getInt(LENGTH);
    if (length < 0 || length > MOST_BYTES) {
      throw new StoreException(
          StoreException.EPROTO,
          "the store sent a message of "
              + Integer.toUnsignedString(length)
              + " bytes; it has "
              + MOST_BYTES
              + " at most");
    }
    return length;
  }

  static StoreMessage of(ByteBuffer header, byte[] payload) {
    ByteBuffer fields = ordered(header);
    return new StoreMessage(
        fields.getInt(TYPE), fields.getInt(REQUEST), fields.getInt(TRANSACTION), payload);
  }

  private static ByteBuffer ordered(ByteBuffer header) {
    return header.duplicate().order(ByteOrder.nativeOrder());
  }

  /** Header and payload, to be sent at once. */
  ByteBuffer encode() {
    ByteBuffer message =
        ByteBuffer.allocate(HEADER_BYTES + payload.length).order(ByteOrder.nativeOrder());
    message.putInt(type).putInt(request).putInt(transaction).putInt(payload.length).put(payload);
    return message.flip();
  }

  int type() {
    return type;
  }

  int request() {
    return request;
  }

  int transaction() {
    return transaction;
  }

  byte[] payload() {
    return payload.clone();
  }
}
