package org.mezzo.daemon.leaders;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.MasterInfo;

class LeaderAddressTest {
  private static MasterInfo at(String host) {
    return MasterInfo.newBuilder().setId("m").setIp(0).setPort(6000).setHostname(host).build();
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "255.0.10.99", "::1", "[::1]", "fe80::1"})
  void addressesAreTakenAsTheyAre(String host) {
    InetSocketAddress address = LeaderAddress.of(at(host));
    assertThat(address.isUnresolved()).isFalse();
    assertThat(address.getPort()).isEqualTo(6000);
    assertThat(LeaderAddress.problem(at(host))).isEmpty();
  }

  /** Whoever connects there has the time to ask for names. */
  @ParameterizedTest
  @ValueSource(
      strings = {"localhost", "a.example.com", "256.1.1.1", "1.2.3", "1.2.3.4.", "1.2.3.4.5"})
  void namesAreNotAskedFor(String host) {
    assertThat(LeaderAddress.of(at(host)).isUnresolved()).isTrue();
    assertThat(LeaderAddress.problem(at(host))).isEmpty();
  }

  @Test
  void theAddressIsPreferredToTheHostname() {
    MasterInfo both =
        at("here").toBuilder().setAddress(Address.newBuilder().setIp("::1").setPort(1)).build();
    assertThat(LeaderAddress.of(both)).isEqualTo(new InetSocketAddress("::1", 1));
  }

  @Test
  void mastersAreToldFromEachOtherByAddressAndId() {
    MasterInfo one = at("here");
    MasterInfo nameless = one.toBuilder().setId("").build();
    assertThat(LeaderAddress.isSame(one, one.toBuilder().setVersion("2").build())).isTrue();
    assertThat(LeaderAddress.isSame(one, nameless)).isTrue();
    assertThat(LeaderAddress.isSame(nameless, one)).isTrue();
    assertThat(LeaderAddress.isSame(one, one.toBuilder().setId("n").build())).isFalse();
    assertThat(LeaderAddress.isSame(one, one.toBuilder().setPort(1).build())).isFalse();
    assertThat(LeaderAddress.isSame(one, at("there"))).isFalse();
  }
}
