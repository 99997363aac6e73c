package io.vdisk.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.vdisk.FormatOption;
import io.vdisk.FormatOption.Value;
import java.util.List;
import org.junit.jupiter.api.Test;

class DeclaredOptionTest {
  private enum Own implements DeclaredOption {
    GRAIN(new FormatOption("grain", Value.SIZE, "bytes of a grain")),
    LAZY(new FormatOption("lazy", Value.SWITCH, "later"));

    private final FormatOption declared;

    Own(FormatOption declared) {
      this.declared = declared;
    }

    @Override
    public FormatOption declared() {
      return declared;
    }
  }

  @Test
  void optionIsFoundByTheNameItDeclares() {
    assertSame(Own.LAZY, DeclaredOption.named("lazy", Own.values(), "own"));
  }

  @Test
  void nameThatNoneDeclaresIsRefusedAsThatOfTheFormat() {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> DeclaredOption.named("LAZY", Own.values(), "own"));
    assertEquals("own has no option 'LAZY'", e.getMessage());
  }

  @Test
  void formatsOwnComeBehindTheOthersInTheirOrder() {
    assertEquals(
        List.of(FormatOption.SIZE, Own.GRAIN.declared(), Own.LAZY.declared()),
        DeclaredOption.behind(List.of(FormatOption.SIZE), List.of(Own.values())));
  }
}
