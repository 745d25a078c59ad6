package org.mezzo.master.rollouts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.DomainInfo;

/** Which daemons the text of a selector means. */
class SelectorTest {
  private static final DomainInfo DOMAIN =
      DomainInfo.newBuilder()
          .setFaultDomain(
              DomainInfo.FaultDomain.newBuilder()
                  .setRegion(DomainInfo.FaultDomain.RegionInfo.newBuilder().setName("b"))
                  .setZone(DomainInfo.FaultDomain.ZoneInfo.newBuilder().setName("z")))
          .build();
  private static final Member MASTER = new Member.OfMaster("master@1", "host", DOMAIN, true);
  private static final Member AGENT =
      new Member.OfAgent(AgentInfo.newBuilder().setHostname("host").setDomain(DOMAIN).build());

  private static void assertSelects(String text, boolean agent, boolean master) {
    Selector selector = Selector.parse(text);
    assertThat(selector.matches(AGENT)).as(text).isEqualTo(agent);
    assertThat(selector.matches(MASTER)).as(text).isEqualTo(master);
    assertThat(Selector.parse(selector.toString())).isEqualTo(selector);
  }

  @Test
  void agentsAreMeantWhereNothingIsSaid() {
    assertSelects("", true, false);
    assertSelects("region=b", true, false);
    assertThat(Selector.parse("role=agent,rack=a"))
        .isEqualTo(new Selector(Map.of("rack", "a"), Optional.empty()));
  }

  @Test
  void roleSelectsMasters() {
    assertSelects("role=master", false, true);
    assertSelects("role=any", true, true);
    assertSelects("region=b,role=master", false, true);
    assertSelects("role=any,region=c", false, false);
  }

  @Test
  void whatIsNoSelectorIsRefusedWithTheRemedy() {
    assertThatThrownBy(() -> Selector.parse("role=web"))
        .hasMessage("'web' is no role of a daemon: write role=agent, role=master or role=any");
    assertThatThrownBy(() -> Selector.parse("role=master,role=agent"))
        .hasMessage("'role' stands there twice");
    assertThatThrownBy(() -> Selector.parse("rack=a,role=master"))
        .hasMessage("Masters have no attributes: leave 'rack' out, or role=master");
  }
}
