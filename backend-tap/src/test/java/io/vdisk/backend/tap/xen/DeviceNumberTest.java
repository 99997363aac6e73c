package io.vdisk.backend.tap.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.backend.tap.disk.DiskException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Names and numbers of a guest's devices, by xen-vbd-interface(7). */
final class DeviceNumberTest {
  @ParameterizedTest
  @CsvSource({
    "xvda, 51712",
    "xvda1, 51713",
    "xvdb, 51728",
    "xvdp15, 51967",
    "xvdq, 268439552",
    "xvda16, 268435472",
    "xvdtq37, 268572709",
    "xvdzz, 268614912",
    "sda, 2048",
    "sdb3, 2067",
    "hda, 768",
    "hdb63, 895",
    "hdc2, 5634",
    "hdd, 5696"
  })
  void aNameHasItsNumberAndBack(String name, int number) throws Exception {
    assertEquals(number, DeviceNumber.parse(name).value());
    assertEquals(number, DeviceNumber.parse("/dev/" + name).value());
    assertEquals(name, new DeviceNumber(number).name());
  }

  @ParameterizedTest
  @CsvSource({
    "d0, 51712",
    "d1p2, 51730",
    "d536p37, 268572709",
    "51712, 51712",
    "0xca00, 51712",
    "0145000, 51712"
  })
  void aNumberMayBeSaidInOtherWays(String said, int number) throws Exception {
    assertEquals(number, DeviceNumber.parse(said).value());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "xvd",
        "vda",
        "xvda256",
        "sdq",
        "sda16",
        "hde",
        "hda64",
        "d1048576",
        "d0p256",
        "089",
        "xvda ",
        "-1",
        "99999999999"
      })
  void whatIsNoDeviceIsRefused(String said) {
    DiskException e = assertThrows(DiskException.class, () -> DeviceNumber.parse(said));
    assertEquals(
        "'" + said + "' is no device of a guest, as xvda, sda1, hdc and 51712 are", e.getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "xvda, xvda",
    "xvdb3, xvdb3",
    "xvdtq37, xvdtq37",
    "sda, xvda",
    "sdp15, xvdp15",
    "hda, xvda",
    "hdb1, xvdb",
    "hdc, xvdc",
    "hdd, xvdd",
    "1, 1"
  })
  void linuxNamesAllDisksAlike(String name, String linux) throws Exception {
    assertEquals(linux, DeviceNumber.parse(name).linuxName());
  }

  @Test
  void aNumberWithoutNameIsItself() {
    assertEquals("4711", new DeviceNumber(4711).name());
    assertEquals("1023", new DeviceNumber(1023).name());
  }
}
