package org.mezzo.master.operator;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.mezzo.master.testing.Operator;
import org.mezzo.master.testing.TestAgent;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.protocol.v1.master.Call;

/**
 * Every call of the operator API, as it is and with what can be wrong in it, sent one after the
 * other to one master with one agent: what is refused says why, and nothing of it is done.
 */
class OperatorCallsTest {
  @TempDir static Path workDir;
  private static TestCluster cluster;
  private static TestAgent agent;
  private static Operator operator;

  /** One row of the table. */
  record Row(String name, String body, String expected) {
    @Override
    public String toString() {
      return name;
    }
  }

  @BeforeAll
  static void start() throws Exception {
    cluster = new TestCluster(workDir);
    agent = cluster.agent(5051, "cpus:4;mem:4096;disk:1000");
    operator = new Operator(cluster);
  }

  @AfterAll
  static void stop() throws Exception {
    cluster.close();
  }

  static List<Row> rows() throws Exception {
    try (InputStream in = OperatorCallsTest.class.getResourceAsStream("/operator-calls.tsv")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .map(line -> line.split("\t", -1))
          .map(cells -> new Row(cells[0], cells[1], (cells[2] + " " + cells[3]).strip()))
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("rows")
  void isAnswered(Row row) throws Exception {
    String answer =
        operator.call(row.body.replace("{agent}", agent.id)).replace(agent.id, "{agent}");
    if (row.expected.endsWith("...")) {
      assertThat(answer)
          .startsWith(row.expected.substring(0, row.expected.length() - "...".length()));
    } else {
      assertThat(answer).isEqualTo(row.expected);
    }
  }

  /**
   * A call that is added gets its rows. SUBSCRIBE answers with a stream, which has its own tests.
   */
  @Test
  void noCallIsMissing() throws Exception {
    Set<String> there =
        rows().stream()
            .map(row -> row.name.split(" ")[0])
            .collect(Collectors.toCollection(TreeSet::new));
    there.add(Call.Type.SUBSCRIBE.name());
    for (Call.Type type : Call.Type.values()) {
      if (type != Call.Type.UNKNOWN) {
        assertThat(there).contains(type.name());
      }
    }
  }
}
