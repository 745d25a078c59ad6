package org.mezzo.acls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.mezzo.acls.AclRule.Objects;

/** What ACLs mean, of every rule that Mesos has, and of Mezzo's own. */
class AclsTest {
  private static final Optional<String> NOBODY = Optional.empty();
  private static final Optional<String> ANYTHING = Optional.empty();

  /**
   * Field, field of its objects, what these are, actions: as in {@code mesos.ACLs}, and Mezzo's
   * own.
   */
  private static final String RULES =
      """
      register_frameworks roles roles REGISTER_FRAMEWORK
      run_tasks users names RUN_TASK
      reserve_resources roles roles RESERVE_RESOURCES
      unreserve_resources reserver_principals names UNRESERVE_RESOURCES
      create_volumes roles roles CREATE_VOLUME
      destroy_volumes creator_principals names DESTROY_VOLUME
      teardown_frameworks framework_principals names TEARDOWN_FRAMEWORK
      update_weights roles roles UPDATE_WEIGHT
      get_endpoints paths paths GET_ENDPOINT_WITH_PATH
      get_quotas roles roles GET_QUOTA
      update_quotas roles roles UPDATE_QUOTA,UPDATE_QUOTA_WITH_CONFIG
      view_frameworks users names VIEW_FRAMEWORK
      view_tasks users names VIEW_TASK
      view_executors users names VIEW_EXECUTOR
      access_sandboxes users names ACCESS_SANDBOX
      access_mesos_logs logs anything ACCESS_MESOS_LOG
      view_roles roles roles VIEW_ROLE
      view_flags flags anything VIEW_FLAGS
      launch_nested_containers_as_user users names LAUNCH_NESTED_CONTAINER
      launch_nested_containers_under_parent_with_user users names LAUNCH_NESTED_CONTAINER
      kill_nested_containers users names KILL_NESTED_CONTAINER
      wait_nested_containers users names WAIT_NESTED_CONTAINER
      launch_nested_container_sessions_as_user users names LAUNCH_NESTED_CONTAINER_SESSION
      launch_nested_container_sessions_under_parent_with_user users names LAUNCH_NESTED_CONTAINER_SESSION
      attach_containers_input users names ATTACH_CONTAINER_INPUT
      attach_containers_output users names ATTACH_CONTAINER_OUTPUT
      view_containers users names VIEW_CONTAINER
      set_log_level level anything SET_LOG_LEVEL
      remove_nested_containers users names REMOVE_NESTED_CONTAINER
      register_agents agents anything REGISTER_AGENT
      update_maintenance_schedules machines anything UPDATE_MAINTENANCE_SCHEDULE
      get_maintenance_schedules machines anything GET_MAINTENANCE_SCHEDULE
      start_maintenances machines anything START_MAINTENANCE
      stop_maintenances machines anything STOP_MAINTENANCE
      get_maintenance_statuses machines anything GET_MAINTENANCE_STATUS
      drain_agents agents implicit DRAIN_AGENT
      deactivate_agents agents implicit DEACTIVATE_AGENT
      reactivate_agents agents implicit REACTIVATE_AGENT
      mark_agents_gone agents implicit MARK_AGENT_GONE
      launch_standalone_containers users implicit LAUNCH_STANDALONE_CONTAINER
      kill_standalone_containers users implicit KILL_STANDALONE_CONTAINER
      wait_standalone_containers users implicit WAIT_STANDALONE_CONTAINER
      remove_standalone_containers users implicit REMOVE_STANDALONE_CONTAINER
      view_standalone_containers users implicit VIEW_STANDALONE_CONTAINER
      modify_resource_provider_configs resource_providers implicit MODIFY_RESOURCE_PROVIDER_CONFIG
      mark_resource_providers_gone resource_providers implicit MARK_RESOURCE_PROVIDER_GONE
      view_resource_providers resource_providers implicit VIEW_RESOURCE_PROVIDER
      prune_images images implicit PRUNE_IMAGES
      resize_volumes roles roles RESIZE_VOLUME
      create_block_disks roles roles CREATE_BLOCK_DISK
      destroy_block_disks roles roles DESTROY_BLOCK_DISK
      create_mount_disks roles roles CREATE_MOUNT_DISK
      destroy_mount_disks roles roles DESTROY_MOUNT_DISK
      destroy_raw_disks roles roles DESTROY_RAW_DISK
      view_modules modules anything VIEW_MODULES
      change_modules modules anything CHANGE_MODULES
      """;

  static Stream<List<String>> rules() {
    return RULES.lines().map(line -> List.of(line.strip().split(" ")));
  }

  @Test
  void thereAreTheRulesOfMesosAndTwoOfMezzo() {
    assertThat(rules()).hasSize(54 + 2);
    assertThat(Stream.of(AclRule.values()).map(AclRule::field))
        .containsExactlyElementsOf(rules().map(row -> row.get(0)).toList());
  }

  @ParameterizedTest
  @MethodSource("rules")
  void everyRuleIsReadAndAnswersForItsActions(List<String> row) throws Exception {
    AclRule rule = AclRule.ofField(row.get(0)).orElseThrow();
    assertThat(rule.objectField()).isEqualTo(row.get(1));
    assertThat(rule.objects()).isEqualTo(Objects.valueOf(row.get(2).toUpperCase(Locale.ROOT)));
    assertThat(rule.actions()).containsExactly(row.get(3).split(","));
    for (String action : rule.actions()) {
      assertThat(AclRule.ofAction(action)).contains(rule);
    }

    String object = rule.objects() == Objects.PATHS ? "/containers" : "thing";
    boolean named = rule.objects().named();
    String some = named ? "{\"values\": [\"" + object + "\"]}" : "{\"type\": \"ANY\"}";
    Acls acls =
        acls(
            entry(rule, "{\"values\": [\"anna\", \"bert\"]}", some),
            entry(rule, "{\"values\": [\"carl\"]}", "{\"type\": \"NONE\"}"),
            entry(rule, "{\"type\": \"NONE\"}", "{\"type\": \"ANY\"}"));
    allowed(acls, rule, Optional.of("bert"), Optional.of(object), 0);
    refused(acls, rule, Optional.of("carl"), Optional.of(object), 1);
    refused(acls, rule, Optional.of("dora"), Optional.of(object), 2);
    refused(acls, rule, NOBODY, Optional.of(object), 2);
    if (named) {
      refused(acls, rule, Optional.of("anna"), Optional.of("another"), 2);
      refused(acls, rule, Optional.of("anna"), ANYTHING, 2);
    } else {
      allowed(acls, rule, Optional.of("anna"), Optional.of("another"), 0);
      allowed(acls, rule, Optional.of("anna"), ANYTHING, 0);
    }
    // No rule says anything about the actions of another.
    for (AclRule other : EnumSet.complementOf(EnumSet.of(rule))) {
      assertThat(decide(acls, other, Optional.of("carl"), ANYTHING).entry()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(AclRule.class)
  void onlyRolesHaveSomethingBelowThem(AclRule rule) throws Exception {
    if (rule.objects() == Objects.PATHS || rule.objects() == Objects.ANYTHING) {
      return;
    }
    Acls acls =
        acls(
            entry(rule, "{\"type\": \"ANY\"}", "{\"values\": [\"ops\", \"eng/%\"]}"),
            "\"permissive\": false");
    boolean roles = rule.objects() == Objects.ROLES;
    boolean named = rule.objects().named();
    assertThat(decide(acls, rule, NOBODY, Optional.of("ops")).allowed()).isEqualTo(named);
    assertThat(decide(acls, rule, NOBODY, Optional.of("eng/dev")).allowed()).isEqualTo(roles);
    assertThat(decide(acls, rule, NOBODY, Optional.of("eng/dev/a")).allowed()).isEqualTo(roles);
    assertThat(decide(acls, rule, NOBODY, Optional.of("eng")).allowed()).isFalse();
    assertThat(decide(acls, rule, NOBODY, Optional.of("engine/a")).allowed()).isFalse();
    assertThat(decide(acls, rule, NOBODY, Optional.of("ops/a")).allowed()).isFalse();
    assertThat(decide(acls, rule, NOBODY, ANYTHING).allowed()).isFalse();
  }

  /** The tables of Mesos: whether an entry is about a question, and whether it allows it. */
  @ParameterizedTest
  @CsvSource({
    // principals, users; asked by, about; decides, allows
    "SOME, SOME, anna, root, true, true",
    "SOME, SOME, bert, root, false, true",
    "SOME, SOME, anna, nobody, false, true",
    "SOME, SOME, , root, false, true",
    "SOME, SOME, anna, , false, true",
    "SOME, ANY, anna, , true, true",
    "SOME, ANY, , , false, true",
    "SOME, NONE, anna, root, true, false",
    "SOME, NONE, anna, , true, false",
    "ANY, SOME, bert, root, true, true",
    "ANY, SOME, , root, true, true",
    "ANY, SOME, , , false, true",
    "ANY, ANY, , , true, true",
    "ANY, NONE, bert, root, true, false",
    "NONE, SOME, bert, root, true, false",
    "NONE, SOME, bert, nobody, false, true",
    "NONE, ANY, , , true, false",
    "NONE, NONE, anna, root, true, false",
  })
  void theFirstEntryThatIsAboutItDecides(
      String principals, String users, String asking, String about, boolean decides, boolean allows)
      throws Exception {
    Acls acls = acls(entry(AclRule.RUN_TASKS, entity(principals, "anna"), entity(users, "root")));
    Decision decision =
        decide(acls, AclRule.RUN_TASKS, Optional.ofNullable(asking), Optional.ofNullable(about));
    assertThat(decision.entry().isPresent()).isEqualTo(decides);
    assertThat(decision.allowed()).isEqualTo(allows);
  }

  private static String entity(String type, String value) {
    return type.equals("SOME")
        ? "{\"values\": [\"" + value + "\"]}"
        : "{\"type\": \"" + type + "\"}";
  }

  @Test
  void permissiveDecidesWhatNoEntryIsAbout() throws Exception {
    assertThat(decide(Acls.parse("{}"), AclRule.VIEW_ROLES, NOBODY, ANYTHING).allowed()).isTrue();
    Acls strict = Acls.parse("{\"permissive\": false, \"view_roles\": null}");
    Decision decision = decide(strict, AclRule.VIEW_ROLES, Optional.of("a"), Optional.of("b"));
    assertThat(decision.allowed()).isFalse();
    assertThat(decision.reason())
        .isEqualTo("no entry of view_roles is about it, and permissive is false");
  }

  @Test
  void theReasonNamesTheEntryWhereItStands() throws Exception {
    Acls acls =
        Acls.parse(
            """
            {
              "run_tasks": [
                {"principals": {"values": ["x"]}, "users": {"type": "ANY"}},
                {"principals": {"type": "ANY"},
                 "users": {"values": ["web", "db"]}}
              ]
            }
            """);
    assertThat(decide(acls, AclRule.RUN_TASKS, Optional.of("anna"), Optional.of("db")).reason())
        .isEqualTo(
            "run_tasks[1] (line 4): {\"principals\": {\"type\": \"ANY\"},"
                + " \"users\": {\"values\": [\"db\", \"web\"]}}");
  }

  @Test
  void anObjectStandsForAListOfOneAndNullForNothing() throws Exception {
    Acls acls =
        Acls.parse(
            "{\"run_tasks\": {\"principals\": {\"type\": null, \"values\": \"anna\"},"
                + " \"users\": {\"type\": \"NONE\"}}}");
    refused(acls, AclRule.RUN_TASKS, Optional.of("anna"), Optional.of("root"), 0);
    assertThat(acls.warnings()).isEmpty();
  }

  @Test
  void unknownFieldsAreIgnoredAndTold() throws Exception {
    Acls acls =
        Acls.parse(
            """
            {"shutdown_frameworks": [{"principals": {}}],
             "run_tasks": [{"principals": {"type": "ANY", "x": [1]}, "users": {}, "y": 1}],
             "drain_agents": [{"principals": {"type": "NONE", "values": ["a"]}, "agents": {"values": ["b"]}}]}
            """);
    assertThat(acls.size()).isEqualTo(2);
    assertThat(acls.warnings())
        .extracting(warning -> warning.substring(0, warning.indexOf(')') + 1))
        .containsExactly(
            "shutdown_frameworks (line 1)",
            "run_tasks[0].principals.x (line 2)",
            "run_tasks[0].users (line 2)",
            "run_tasks[0].y (line 2)",
            "drain_agents[0].principals (line 3)",
            "drain_agents[0].agents (line 3)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "[]; ACLs (line 1) must be an object",
        "{} 1; something stands behind them",
        "{\"run_tasks\": [; the text is no JSON (line 1)",
        "{\"permissive\": \"false\"}; permissive (line 1) must be true or false",
        "{\"run_tasks\": [7]}; run_tasks[0] (line 1) must be an object with the fields principals"
            + " and users",
        "{\"run_tasks\": [{\"users\": {}}]}; run_tasks[0].principals (line 1) is missing",
        "{\"run_tasks\": [{\"principals\": {}, \"roles\": {}}]}; run_tasks[0].users (line 1) is"
            + " missing",
        "{\"run_tasks\": [{\"principals\": \"ANY\"}]}; run_tasks[0].principals (line 1) must be {",
        "{\"run_tasks\": [{\"principals\": {\"type\": \"admin\"}}]}; run_tasks[0].principals.type"
            + " (line 1) must be one of",
        "{\"run_tasks\": [{\"principals\": {\"type\": 1}}]}; run_tasks[0].principals.type (line 1)"
            + " must be one of",
        "{\"run_tasks\": [{\"principals\": {\"values\": [\"a\", 1]}}]};"
            + " run_tasks[0].principals.values[1] (line 1) must be a text",
        "{\"run_tasks\": [], \"run_tasks\": []}; Duplicate field 'run_tasks'",
        "{\"view_flags\": [{\"principals\": {}, \"flags\": {\"values\": [\"a\"]}}]};"
            + " view_flags[0].flags.type (line 1) must be either \"NONE\" or \"ANY\"",
        "{\"get_endpoints\": [{\"principals\": {}, \"paths\": {\"values\": [\"/state\"]}}]};"
            + " '/state', which is not an authorizable path",
      })
  void whatCannotBeUsedIsNamed(String json, String message) {
    assertThatThrownBy(() -> Acls.parse(json))
        .isInstanceOf(AclsException.class)
        .hasMessageContaining(message);
  }

  private static Acls acls(String... fields) throws AclsException {
    // Entries of one rule stand together: a field may be there only once.
    List<String> entries = Stream.of(fields).filter(it -> it.startsWith("{")).toList();
    String rule = Stream.of(fields).filter(it -> it.startsWith("{")).findFirst().orElseThrow();
    String name = rule.substring(1, rule.indexOf('|'));
    String list =
        String.join(", ", entries.stream().map(it -> it.substring(it.indexOf('|') + 1)).toList());
    String rest =
        String.join(
            "", Stream.of(fields).filter(it -> !it.startsWith("{")).map(it -> ", " + it).toList());
    return Acls.parse("{\"" + name + "\": [" + list + "]" + rest + "}");
  }

  private static String entry(AclRule rule, String principals, String objects) {
    return "{"
        + rule.field()
        + "|{\"principals\": "
        + principals
        + ", \""
        + rule.objectField()
        + "\": "
        + objects
        + "}";
  }

  private static Decision decide(
      Acls acls, AclRule rule, Optional<String> principal, Optional<String> object) {
    return acls.subject(principal, List.of(rule)).decide(rule, object);
  }

  private static void allowed(
      Acls acls, AclRule rule, Optional<String> principal, Optional<String> object, int index) {
    Decision decision = decide(acls, rule, principal, object);
    assertThat(decision.allowed()).isTrue();
    assertThat(decision.entry().orElseThrow().index()).isEqualTo(index);
  }

  private static void refused(
      Acls acls, AclRule rule, Optional<String> principal, Optional<String> object, int index) {
    Decision decision = decide(acls, rule, principal, object);
    assertThat(decision.allowed()).isFalse();
    assertThat(decision.entry().orElseThrow().index()).isEqualTo(index);
  }
}
