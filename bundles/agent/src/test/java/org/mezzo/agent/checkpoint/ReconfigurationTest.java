package org.mezzo.agent.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.agent.detection.Attributes;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.DomainInfo;
import org.mezzo.resources.Resources;

class ReconfigurationTest {
  private static final String RESOURCES = "cpus:4;mem:1024;ports:[31000-32000]";
  private static final String ATTRIBUTES = "rack:a;level:3;slots:[1-10]";

  private static AgentInfo.Builder agent(String resources, String attributes) throws Exception {
    return AgentInfo.newBuilder()
        .setId(AgentID.newBuilder().setValue("a"))
        .setHostname("host")
        .setPort(5051)
        .addAllResources(
            Resources.parse(resources, "*").toMessages(Resources.Format.POST_REFINEMENT))
        .addAllAttributes(Attributes.parse(attributes));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "cpus:8;mem:1024;ports:[31000-32000] | rack:a;level:3;slots:[1-10] | true",
        "cpus:4;mem:1024;ports:[30000-32000];gpus:1 | rack:a;level:3;slots:[1-10] | true",
        "cpus:4;mem:1024;ports:[31000-32000] | rack:a;level:3;slots:[1-20];new:1 | true",
        "cpus:2;mem:1024;ports:[31000-32000] | rack:a;level:3;slots:[1-10] | false",
        "cpus:4;ports:[31000-32000] | rack:a;level:3;slots:[1-10] | false",
        "cpus:4;mem:1024;ports:[31001-32000] | rack:a;level:3;slots:[1-10] | false",
        "cpus:4;mem:1024;ports:[31000-32000] | rack:b;level:3;slots:[1-10] | false",
        "cpus:4;mem:1024;ports:[31000-32000] | rack:a;level:4;slots:[1-10] | false",
        "cpus:4;mem:1024;ports:[31000-32000] | rack:a;level:3;slots:[2-10] | false",
        "cpus:4;mem:1024;ports:[31000-32000] | rack:a;slots:[1-10] | false"
      })
  void whatIsAddedLeavesTheAgentTheSame(String resources, String attributes, boolean same)
      throws Exception {
    AgentInfo before = agent(RESOURCES, ATTRIBUTES).build();
    AgentInfo now = agent(resources, attributes).build();
    assertThat(Reconfiguration.ADDITIVE.objection(before, now).isEmpty()).isEqualTo(same);
    assertThat(Reconfiguration.EQUAL.objection(before, now)).isPresent();
    assertThat(Reconfiguration.ANY.objection(before, now)).isEmpty();
    assertThat(Reconfiguration.EQUAL.objection(before, before.toBuilder().clearId().build()))
        .isEmpty();
  }

  @Test
  void hostnamePortAndDomainStay() throws Exception {
    AgentInfo plain = agent(RESOURCES, ATTRIBUTES).build();
    DomainInfo.Builder domain = DomainInfo.newBuilder();
    domain.getFaultDomainBuilder().getRegionBuilder().setName("r");
    domain.getFaultDomainBuilder().getZoneBuilder().setName("z");
    AgentInfo placed = plain.toBuilder().setDomain(domain).build();

    assertThat(
            Reconfiguration.ADDITIVE.objection(plain, plain.toBuilder().setHostname("h").build()))
        .contains("the hostname changed from 'host' to 'h'");
    assertThat(Reconfiguration.ADDITIVE.objection(plain, plain.toBuilder().setPort(1).build()))
        .contains("the port changed from '5051' to '1'");
    assertThat(Reconfiguration.ADDITIVE.objection(plain, placed)).isEmpty();
    assertThat(Reconfiguration.EQUAL.objection(plain, placed)).isPresent();
    assertThat(Reconfiguration.ADDITIVE.objection(placed, plain)).isPresent();
    assertThat(Reconfiguration.ANY.objection(placed, plain)).isEmpty();
    assertThat(Reconfiguration.ANY.objection(plain, plain.toBuilder().setHostname("h").build()))
        .isPresent();
  }

  @Test
  void knowsThreePolicies() {
    assertThat(Reconfiguration.of("equal")).isEqualTo(Reconfiguration.EQUAL);
    assertThat(Reconfiguration.of("additive")).isEqualTo(Reconfiguration.ADDITIVE);
    assertThat(Reconfiguration.of("any")).isEqualTo(Reconfiguration.ANY);
    assertThatThrownBy(() -> Reconfiguration.of("some"))
        .hasMessageContaining("'equal', 'additive' or 'any'");
  }
}
