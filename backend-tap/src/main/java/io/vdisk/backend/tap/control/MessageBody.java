package io.vdisk.backend.tap.control;

/** What a message holds behind its type and cookie: one member of the union at byte 8. */
public sealed interface MessageBody
    permits NoBody,
        Parameters,
        Image,
        ProcessId,
        Outcome,
        MinorList,
        DiskLine,
        StatisticsLength,
        GuestRing,
        Rates {}
