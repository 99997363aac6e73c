package io.vdisk.backend.tap;

import java.util.List;

/**
 * A request of a random guest that waits for its response.
 *
 * @param code its operation, that of an indirect one being the one inside
 * @param segments its data
 * @param pages what it takes: the pages of its segments, and behind them the one that holds these
 * @param trouble what is wrong with one of them
 * @param troubled which one
 * @param change what it changes if it is done
 * @param moment when it was asked
 * @param generation of the servers when it was asked
 */
record AskedRequest(
    int code,
    List<GrantedData.Segment> segments,
    List<Integer> pages,
    Trouble trouble,
    int troubled,
    DiskModel.Change change,
    SectorHistory.Moment moment,
    int generation) {
  static final int READ = 0;
  static final int WRITE = 1;
  static final int BARRIER = 2;
  static final int FLUSH = 3;
  static final int UNKNOWN = 4; // an operation that is none
  static final int DISCARD = 5;

  /** What is wrong with a page. */
  enum Trouble {
    NONE,
    NOT_GRANTED,
    REVOKED_MEANWHILE
  }

  /** One that takes no pages. */
  static AskedRequest alone(
      int code, DiskModel.Change change, SectorHistory.Moment moment, int generation) {
    return new AskedRequest(
        code, List.of(), List.of(), Trouble.NONE, -1, change, moment, generation);
  }

  boolean isIndirect() {
    return pages.size() > segments.size();
  }

  /** The first sector. */
  int sector() {
    return segments.get(0).sector();
  }

  boolean mayHaveStatus(int status) {
    return switch (trouble) {
      case NONE -> status == (code == UNKNOWN ? -2 : 0);
      case NOT_GRANTED -> status == -1;
      case REVOKED_MEANWHILE -> status == 0 || status == -1;
    };
  }
}
