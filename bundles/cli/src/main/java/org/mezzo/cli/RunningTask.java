package org.mezzo.cli;

import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.mezzo.protocol.v1.ContainerID;

/**
 * Where a task runs.
 *
 * @param agent {@code host:port}
 * @param container its own
 */
record RunningTask(String agent, ContainerID container) {

  /**
   * Asks the leading master.
   *
   * @param master {@code host:port} of any master
   * @throws IOException when there is no such task that runs, or more than one
   */
  static RunningTask find(HttpJson http, String master, String id) throws IOException {
    String leader = http.leader(master);
    List<Map<String, Object>> running =
        HttpJson.objects(
                http.get(
                    "http://"
                        + leader
                        + "/tasks?task_id="
                        + URLEncoder.encode(id, StandardCharsets.UTF_8)),
                "tasks")
            .stream()
            .filter(task -> "TASK_RUNNING".equals(task.get("state")) && id.equals(task.get("id")))
            .toList();
    if (running.isEmpty()) {
      throw new IOException("no task '" + id + "' runs; mezzo task list says which do");
    }
    if (running.size() > 1) {
      throw new IOException(
          "more than one framework has a task '"
              + id
              + "' that runs; give tasks names of their"
              + " own");
    }
    Map<String, Object> task = running.get(0);
    ContainerID container =
        HttpJson.objects(task, "statuses").stream()
            .map(status -> HttpJson.asObject(status.get("container_status")))
            .map(status -> HttpJson.asObject(status.get("container_id")))
            .filter(named -> named.get("value") != null)
            .findFirst()
            .map(RunningTask::container)
            .orElseThrow(
                () -> new IOException("nothing is known of the container of task '" + id + "'"));
    return new RunningTask(agent(http, leader, String.valueOf(task.get("slave_id"))), container);
  }

  private static ContainerID container(Map<String, Object> named) {
    ContainerID.Builder id = ContainerID.newBuilder().setValue(String.valueOf(named.get("value")));
    Map<String, Object> parent = HttpJson.asObject(named.get("parent"));
    if (!parent.isEmpty()) {
      id.setParent(container(parent));
    }
    return id.build();
  }

  private static String agent(HttpJson http, String leader, String id) throws IOException {
    return HttpJson.objects(http.get("http://" + leader + "/slaves"), "slaves").stream()
        .filter(agent -> id.equals(agent.get("id")))
        .map(agent -> String.valueOf(agent.get("pid")))
        .map(pid -> pid.substring(pid.indexOf('@') + 1))
        .findFirst()
        .orElseThrow(() -> new IOException("the master knows no agent " + id));
  }
}
