package org.mezzo.master;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.configuration.ListenFlags.Advertised;
import org.mezzo.flags.FlagException;
import org.mezzo.master.operator.OperatorFlags;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.transitions.Settings;

class MasterFlagsTest {
  private static MasterFlags flags(Map<String, String> given) throws FlagException {
    return MasterFlags.of(MasterDaemon.definitions().parse(given));
  }

  @Test
  void theDefaultsAreThoseOfTheParts() throws Exception {
    MasterFlags flags = flags(Map.of());
    assertThat(flags.settings(false)).isEqualTo(Settings.DEFAULT);
    assertThat(flags.history()).isEqualTo(MasterState.Limits.DEFAULT);
    assertThat(flags.allocation().options()).isEqualTo(AllocatorOptions.builder().build());
    assertThat(flags.allocation().allocator()).isEqualTo("hierarchical");
    assertThat(flags.agents().recoveryLimit()).isEqualTo(1);
    assertThat(flags.daemon().border().authenticators()).isEmpty();
    assertThat(flags.daemon().border().authorizer()).isEmpty();
    assertThat(flags.daemon().folders().work())
        .isEqualTo(Path.of(System.getProperty("user.home"), ".mezzo", "master"));
    assertThat(flags.daemon().listen().ip().isLoopbackAddress()).isTrue();
  }

  @Test
  void offersStayForEverWithATimeoutOfNothing() throws Exception {
    assertThat(flags(Map.of("offer_timeout", "0secs")).frameworks().rules().offerTimeout())
        .isEmpty();
    assertThat(flags(Map.of("offer_timeout", "3mins")).frameworks().rules().offerTimeout())
        .contains(Duration.ofMinutes(3));
  }

  @Test
  void readsWhatTextsMean() throws Exception {
    MasterFlags flags =
        flags(
            Map.ofEntries(
                entry("weights", "a=2.5, b/c=1"),
                entry("agent_removal_rate_limit", "2/10mins"),
                entry("recovery_agent_removal_limit", "25%"),
                entry("allocator_agent_recovery_factor", "0.5"),
                entry("allocator_recovery_timeout", "2mins"),
                entry("roles", "x, y,"),
                entry("whitelist", "file:///etc/list"),
                entry("cluster", "home"),
                entry("max_operator_event_stream_subscribers", "7"),
                entry("log_dir", "logs/"),
                entry("acls", "{}"),
                entry("authenticate_http_readonly", "true"),
                entry("authenticate_http_frameworks", "true"),
                entry("http_framework_authenticators", "one, two"),
                entry("hostname_lookup", "false"),
                entry("advertise_ip", "10.1.2.3"),
                entry("advertise_port", "80")));
    assertThat(flags.allocation().weights()).isEqualTo(Map.of("a", 2.5, "b/c", 1.0));
    assertThat(flags.agents().removals())
        .contains(new MasterFlags.Removals(2, Duration.ofMinutes(10)));
    assertThat(flags.agents().recoveryLimit()).isEqualTo(0.25);
    assertThat(flags.allocation().options().recoveryFactor()).isEqualTo(0.5);
    assertThat(flags.allocation().options().recoveryTimeout()).isEqualTo(Duration.ofMinutes(2));
    assertThat(flags.frameworks().rules().roles().orElseThrow())
        .containsExactlyInAnyOrder("x", "y");
    assertThat(flags.allocation().whitelist()).contains(Path.of("/etc/list"));
    assertThat(flags.operator()).isEqualTo(new OperatorFlags(Optional.of("home"), 7));
    assertThat(flags.daemon().folders().log()).contains("logs/");
    assertThat(flags.daemon().border().authorizer()).contains("local");
    assertThat(flags.daemon().border().authenticators())
        .isEqualTo(
            Map.of(Access.READONLY, List.of("basic"), Access.SCHEDULER, List.of("one", "two")));
    Advertised told = flags.daemon().listen().advertised(new InetSocketAddress("127.0.0.1", 5050));
    assertThat(told.ip()).isEqualTo("10.1.2.3");
    assertThat(told.port()).isEqualTo(80);
    assertThat(told.hostname()).isEqualTo("10.1.2.3");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "weights;a",
        "weights;a=0",
        "weights;=1",
        "weights;a=NaN",
        "agent_removal_rate_limit;10mins",
        "agent_removal_rate_limit;0/10mins",
        "agent_removal_rate_limit;1/soon",
        "recovery_agent_removal_limit;101%",
        "recovery_agent_removal_limit;some",
        "min_allocatable_resources;cpus",
        "allocator_agent_recovery_factor;1.5",
        "allocator_agent_recovery_factor;-1",
        "allocator_agent_recovery_factor;most",
        "allocator_recovery_timeout;10",
        "advertise_port;http",
        "advertise_port;70000",
        "advertise_ip;300.1.1.1",
        "ip;no such host",
        "domain;{",
        "modules;[]",
        "firewall_rules;[]",
        "http_authenticators;,"
      })
  void namesTheFlagThatCannotBeRead(String name, String text) {
    assertThatThrownBy(() -> flags(Map.of(name, text)))
        .isInstanceOf(FlagException.class)
        .hasMessageContaining("--" + name);
  }
}
