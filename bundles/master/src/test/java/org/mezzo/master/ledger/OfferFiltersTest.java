package org.mezzo.master.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.mezzo.api.allocator.OfferFilter;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

class OfferFiltersTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

  private static OfferFilter filter(
      String frameworkId, String role, String agentId, String text, int seconds)
      throws ResourceFormatException {
    return new OfferFilter(
        frameworkId, role, agentId, Resources.parse(text, "*"), NOW.plusSeconds(seconds));
  }

  @Test
  void theyAreForgottenByFrameworkRoleAndAgent() throws ResourceFormatException {
    OfferFilters all =
        OfferFilters.EMPTY
            .with(filter("f", "r", "a", "cpus:1", 9), NOW)
            .with(filter("f", "s", "a", "cpus:1", 9), NOW)
            .with(filter("f", "r", "b", "cpus:1", 9), NOW)
            .with(filter("g", "r", "a", "cpus:1", 9), NOW);
    assertThat(all.counts()).isEqualTo(Map.of("r", 3, "s", 1));
    assertThat(all.without("f").counts()).isEqualTo(Map.of("r", 1));
    assertThat(all.without("f", Set.of("r")).counts()).isEqualTo(Map.of("r", 1, "s", 1));
    assertThat(all.withoutAgent("a").counts()).isEqualTo(Map.of("r", 1));
    assertThat(all.without("f").without("g").counts()).isEmpty();
    assertThat(all.without("f").live(NOW)).hasSize(1);
    assertThat(all.without("f", Set.of("r")).of("f")).hasSize(1);
    assertThat(all.withoutAgent("a").live(NOW)).hasSize(1);
    assertThat(all.withoutAgent("f", "a").of("f")).hasSize(1);
    assertThat(all.any("g", "a")).isTrue();
    assertThat(all.any("g", "b")).isFalse();
    assertThat(all.without("f").without("g")).isEqualTo(OfferFilters.EMPTY);
  }

  @Test
  void aWiderOneCoversOthersAndThereAreNotTooMany() throws ResourceFormatException {
    OfferFilters filters = OfferFilters.EMPTY;
    for (int i = 1; i <= 100; i++) {
      filters = filters.with(filter("f", "r", "a", "cpus:" + i, 1000 - i), NOW);
    }
    assertThat(filters.of("f")).hasSize(64);
    assertThat(filters.counts()).isEqualTo(Map.of("r", 64));
    filters = filters.with(filter("f", "r", "a", "cpus:200", 2000), NOW);
    assertThat(filters.of("f")).hasSize(1);
  }

  @Test
  void thoseThatAreOverGoInTime() throws ResourceFormatException {
    OfferFilters filters =
        OfferFilters.EMPTY
            .with(filter("f", "r", "a", "cpus:1", 5), NOW)
            .with(filter("f", "r", "b", "cpus:1", 500), NOW);
    assertThat(filters.swept("f", NOW.plusSeconds(6))).isSameAs(filters);
    assertThat(filters.live(NOW.plusSeconds(6))).hasSize(1);
    assertThat(filters.swept("f", NOW.plusSeconds(10)).of("f")).hasSize(1);
    assertThat(filters.swept("f", NOW.plusSeconds(10)).counts()).isEqualTo(Map.of("r", 1));
    assertThat(filters.swept("f", NOW.plusSeconds(600)).counts()).isEmpty();
    assertThat(filters.swept("f", NOW.plusSeconds(600))).isEqualTo(OfferFilters.EMPTY);
  }
}
