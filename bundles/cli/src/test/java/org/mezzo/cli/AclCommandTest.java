package org.mezzo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class AclCommandTest {
  @TempDir Path folder;
  private Path acls;
  private String out;
  private String err;

  @BeforeEach
  void write() throws Exception {
    acls =
        Files.writeString(
            folder.resolve("acls.json"),
            """
            {
              "permissive": false,
              "run_tasks": [
                {"principals": {"values": ["anna"]}, "users": {"values": ["web"]}},
                {"principals": {"type": "NONE"}, "users": {"values": ["root"]}}
              ],
              "register_frameworks": [
                {"principals": {"type": "ANY"}, "roles": {"values": ["eng/%"]}}
              ],
              "launch_nested_containers_as_user": [
                {"principals": {"type": "ANY"}, "users": {"type": "ANY"}}
              ]
            }
            """);
  }

  @Test
  void namesTheEntryThatAllows() {
    assertThat(check("--principal=anna", "--action=RUN_TASK", "--object=web")).isZero();
    assertThat(out)
        .isEqualTo(
            "allowed\n  run_tasks[0] (line 4): {\"principals\": {\"values\": [\"anna\"]},"
                + " \"users\": {\"values\": [\"web\"]}}\n");
    assertThat(check("--action=register_frameworks", "--object=eng/dev")).isZero();
    assertThat(out).startsWith("allowed\n  register_frameworks[0] (line 8)");
  }

  @Test
  void namesTheEntryThatDenies() {
    assertThat(check("--principal=anna", "--action=run_task", "--object=root")).isEqualTo(1);
    assertThat(out).startsWith("denied\n  run_tasks[1] (line 5)");
    assertThat(check("--principal=anna", "--action=RUN_TASK")).isEqualTo(1);
    assertThat(out)
        .isEqualTo("denied\n  no entry of run_tasks is about it, and permissive is false\n");
  }

  @Test
  void ofTwoRulesBothHaveToAllow() {
    assertThat(check("--action=LAUNCH_NESTED_CONTAINER", "--object=web")).isEqualTo(1);
    assertThat(out)
        .isEqualTo(
            "denied\n  no entry of launch_nested_containers_under_parent_with_user is about it,"
                + " and permissive is false\n");
  }

  @Test
  void aQuestionThatMakesNoSenseIsNoAnswer() throws Exception {
    assertThat(check("--action=RUN")).isEqualTo(2);
    assertThat(err).contains("--action: 'RUN' is no action", "RUN_TASK");
    assertThat(check("--action=VIEW_FLAGS", "--object=x")).isEqualTo(2);
    assertThat(err).contains("leave --object out");
    assertThat(check()).isEqualTo(2);
    assertThat(err).contains("--action");
    Files.writeString(acls, "{\"run_tasks\": [{}]}");
    assertThat(check("--action=RUN_TASK")).isEqualTo(2);
    assertThat(err).contains("--acls: " + acls + ": run_tasks[0].principals (line 1) is missing");
    Files.writeString(acls, "{\"run_task\": []}");
    assertThat(check("--action=RUN_TASK")).isZero();
    assertThat(err).contains("run_task (line 1) is no field of ACLs");
  }

  private int check(String... arguments) {
    List<String> all = new ArrayList<>(List.of("acl", "check", "--acls=" + acls));
    all.addAll(List.of(arguments));
    PrintStream before = System.out;
    PrintStream errors = System.err;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ByteArrayOutputStream warnings = new ByteArrayOutputStream();
    StringWriter failures = new StringWriter();
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(warnings, true, StandardCharsets.UTF_8));
    try {
      CommandLine mezzo = Mezzo.commandLine().setErr(new PrintWriter(failures, true));
      return mezzo.execute(all.toArray(String[]::new));
    } finally {
      System.setOut(before);
      System.setErr(errors);
      out = bytes.toString(StandardCharsets.UTF_8);
      err = warnings.toString(StandardCharsets.UTF_8) + failures;
    }
  }
}
