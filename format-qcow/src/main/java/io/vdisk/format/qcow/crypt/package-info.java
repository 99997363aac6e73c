/** What qcow and qcow2 share of encryption: passphrases, AES as it was, and LUKS. */
@NullMarked
package io.vdisk.format.qcow.crypt;

import org.jspecify.annotations.NullMarked;
