package org.mezzo.shell.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class TableTest {
  @Test
  void rowsOfTextsAreATable() {
    assertThat(
            Table.of(List.of(List.of("ID", "STATE"), List.of("S1", "active"))).map(Table::toString))
        .contains("ID  STATE\nS1  active");
  }

  @Test
  void anythingElseIsNone() {
    assertThat(Table.of("text")).isEmpty();
    assertThat(Table.of(List.of())).isEmpty();
    assertThat(Table.of(List.of("a", "b"))).isEmpty();
    assertThat(Table.of(List.of(List.of("a", "b"), List.of("c")))).isEmpty();
  }

  @Test
  void whatStrangersCallThemselvesGivesTheTerminalNoOrders() {
    assertThat(new Table("NAME").row("a\u001b[2Jb\u0007").toString()).isEqualTo("NAME\na?[2Jb?");
  }
}
