package org.mezzo.hooks.limits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.Volume;
import org.mezzo.resources.Resources;
import org.mezzo.testing.FakeDaemonContext;

class LimitsHookTest {
  private static final FrameworkInfo FRAMEWORK =
      FrameworkInfo.newBuilder().setUser("u").setName("f").addRoles("web").build();

  private static LimitsHook opened(Map<String, String> parameters) {
    LimitsHook hook = new LimitsHook();
    hook.open(FakeDaemonContext.master().withParameters(parameters));
    return hook;
  }

  private static TaskInfo task(Resources resources) {
    return TaskInfo.newBuilder()
        .setName("t")
        .setTaskId(TaskID.newBuilder().setValue("t"))
        .setAgentId(AgentID.newBuilder().setValue("a"))
        .addAllResources(resources.toMessages(Resources.Format.POST_REFINEMENT))
        .build();
  }

  private static AgentInfo agent(String resources) throws Exception {
    return AgentInfo.newBuilder()
        .setHostname("h")
        .addAllResources(
            Resources.parse(resources, "*").toMessages(Resources.Format.POST_REFINEMENT))
        .build();
  }

  private static Resources given(LimitsHook hook, Resources asked, String agent) throws Exception {
    return Resources.of(hook.masterLaunchTaskResources(task(asked), FRAMEWORK, agent(agent)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "cpus:8;mem:64                | cpus:4;mem:64",
        "cpus:1;mem:64                | cpus:1;mem:64",
        "cpus:3;cpus(web):3;mem(web):9| cpus:3;cpus(web):1;mem(web):9",
        "ports:[1-5]                  | ports:[1-5]",
      })
  void cutsWhatIsTooMuchAndNothingElse(String asked, String given) throws Exception {
    LimitsHook hook = opened(Map.of("max", "cpus:4;mem:100;disk:10"));
    Resources wanted = Resources.parse(given, "*");
    Resources before = Resources.parse(asked, "*");
    assertThat(given(hook, before, "cpus:9").quantities()).isEqualTo(wanted.quantities());
    assertThat(given(hook, before.allocatedTo("web"), "cpus:9").allocations())
        .containsOnlyKeys("web");
  }

  @Test
  void aRoleHasItsOwnLimitAlsoWhereOnlyTheFrameworkNamesIt() throws Exception {
    LimitsHook hook = opened(Map.of("max", "cpus:1", "max.web", "cpus:2;mem:10"));
    Resources asked = Resources.parse("cpus:8;mem:64", "*");
    assertThat(given(hook, asked, "cpus:9")).isEqualTo(Resources.parse("cpus:2;mem:10", "*"));
    assertThat(given(hook, asked.allocatedTo("web"), "cpus:9"))
        .isEqualTo(Resources.parse("cpus:2;mem:10", "*").allocatedTo("web"));
    assertThat(given(hook, asked.allocatedTo("batch"), "cpus:9"))
        .isEqualTo(Resources.parse("cpus:1;mem:64", "*").allocatedTo("batch"));
  }

  @Test
  void aVolumeIsNotCut() throws Exception {
    Resource.Builder volume =
        Resource.newBuilder()
            .setName("disk")
            .setType(Value.Type.SCALAR)
            .setScalar(Value.Scalar.newBuilder().setValue(100));
    volume.addReservationsBuilder().setType(Resource.ReservationInfo.Type.DYNAMIC).setRole("web");
    volume.getDiskBuilder().getPersistenceBuilder().setId("v");
    volume.getDiskBuilder().getVolumeBuilder().setContainerPath("v").setMode(Volume.Mode.RW);
    Resources asked = Resources.of(List.of(volume.build())).plus(Resources.parse("disk:50", "*"));
    Resources given = given(opened(Map.of("max", "disk:10")), asked, "cpus:9");
    assertThat(given)
        .isEqualTo(Resources.of(List.of(volume.build())).plus(Resources.parse("disk:10", "*")));
  }

  @Test
  void givesDefaultsOfWhatTheAgentHasAndNobodyAskedFor() throws Exception {
    LimitsHook hook = opened(Map.of("default", "network_bandwidth:10;disk:5"));
    Resources asked = Resources.parse("cpus:1;disk:7", "*").allocatedTo("web");
    assertThat(given(hook, asked, "cpus:9;disk:9;network_bandwidth:100"))
        .isEqualTo(Resources.parse("cpus:1;disk:7;network_bandwidth:10", "*").allocatedTo("web"));
    assertThat(given(hook, asked, "cpus:9;disk:9")).isEqualTo(asked);
  }

  @Test
  void whatCannotBeReadIsLeftForTheMasterToSay() throws Exception {
    TaskInfo task =
        task(Resources.EMPTY).toBuilder()
            .addResources(Resource.newBuilder().setName("cpus").setType(Value.Type.SCALAR))
            .build();
    assertThat(
            opened(Map.of("max", "cpus:1"))
                .masterLaunchTaskResources(task, FRAMEWORK, agent("cpus:9")))
        .isEqualTo(task.getResourcesList());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "max      | cpus:x      | 'max' of hook 'limits' cannot be read",
        "max.web  | ports:[1-2] | 'max.web' of hook 'limits' is 'ports:[1-2]'; give it amounts",
        "default  | cpus(r):1   | 'default' of hook 'limits' is 'cpus(r):1'; give it amounts",
        "max.     | cpus:1      | 'max.' of hook 'limits' has no name behind 'max.'",
        "default  |             | 'max' of hook 'limits' is missing, as are 'max.ROLE' and",
        "maximum  | cpus:1      | 'maximum' of hook 'limits' is unknown; there are 'max', 'max.R",
      })
  void saysWhichParameterIsWrongAndWhatMayBeThere(String name, String value, String problem) {
    assertThatThrownBy(() -> opened(Map.of(name, value == null ? "" : value)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(problem);
  }
}
