package io.vdisk.backend.tap.control;

/** Nothing: the type and the cookie say all. */
public record NoBody() implements MessageBody {}
