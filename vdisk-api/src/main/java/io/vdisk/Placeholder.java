package io.vdisk;

/** Keeps the package alive until its first class is here. */
interface Placeholder {}
