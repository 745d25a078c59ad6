package org.mezzo.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.authenticatee.Credentials;
import org.mezzo.api.detector.MasterDetector;
import org.mezzo.daemon.DaemonFrame;
import org.mezzo.daemon.logging.Verbosity;
import org.mezzo.daemon.wanted.HostModules;
import org.mezzo.flags.FlagDefinitions;
import org.mezzo.http.JettyConnectors;
import org.mezzo.link.Links;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.MasterInfo;

/**
 * What tests have in common that look at a whole agent, beside a master that says what they want.
 */
abstract class RunningAgent {
  static final FrameworkInfo FRAMEWORK =
      FrameworkInfo.newBuilder()
          .setId(FrameworkID.newBuilder().setValue("f-1"))
          .setName("test")
          .setUser(System.getProperty("user.name"))
          .addCapabilities(
              FrameworkInfo.Capability.newBuilder()
                  .setType(FrameworkInfo.Capability.Type.TASK_KILLING_STATE))
          .addCapabilities(
              FrameworkInfo.Capability.newBuilder()
                  .setType(FrameworkInfo.Capability.Type.PARTITION_AWARE))
          .build();

  @TempDir Path folder;
  final Map<String, String> flags = new HashMap<>();
  final LocalModules modules = new LocalModules();
  final Links.Client links = Links.client();

  /** The authenticatee that there is without more. */
  LocalModules.Registered nothingToShow;

  FakeMaster master;
  Agent agent;

  /** What an agent does that is to end. */
  Runnable onShutdown = () -> {};

  @BeforeEach
  final void openMaster() throws Exception {
    master = new FakeMaster();
    flags.put("master", "127.0.0.1:" + master.address().getPort());
    flags.put("work_dir", folder.resolve("work").toString());
    flags.put("runtime_dir", folder.resolve("run").toString());
    flags.put("port", "0");
    flags.put("resources", "cpus:4;mem:4096;disk:10240;ports:[31000-32000]");
    flags.put("registration_backoff_factor", "1ms");
    modules.register(Kinds.MASTER_DETECTOR, "standalone", leading(master));
    nothingToShow = modules.register(Kinds.AUTHENTICATEE, "basic", master -> Credentials.NONE);
  }

  /** Says that this master leads. */
  static MasterDetector leading(FakeMaster master) {
    return leaders -> leaders.report(Optional.of(info(master)));
  }

  /** A master as a detector describes it. */
  static MasterInfo info(FakeMaster master) {
    return MasterInfo.newBuilder()
        .setId(Integer.toString(master.address().getPort()))
        .setIp(0)
        .setPort(master.address().getPort())
        .setHostname("127.0.0.1")
        .build();
  }

  @AfterEach
  final void closeAll() {
    if (agent != null) {
      agent.close();
    }
    master.close();
    links.close();
    modules.close();
  }

  /** The verbosity of the process's log. */
  Verbosity verbosity() {
    return Verbosity.unchangeable();
  }

  /** An agent with the flags. */
  final Agent newAgent() throws Exception {
    AgentFlags typed =
        AgentFlags.of(
            FlagDefinitions.read(Agent.class.getResourceAsStream("/" + FlagDefinitions.RESOURCE))
                .parse(flags));
    return DaemonFrame.open(
            "agent", Agent.KIND, typed.daemon(), modules.leases(), new JettyConnectors())
        .start(
            frame ->
                new Agent(
                    frame,
                    typed,
                    links,
                    frame.own(new HostModules(folder, "", NoDeployments.make(), modules.leases())),
                    verbosity(),
                    onShutdown));
  }

  /** Starts the agent; its registration. */
  final AgentCall start() throws Exception {
    agent = newAgent();
    AgentCall registration = master.registrations.poll(60, TimeUnit.SECONDS);
    assertThat(registration).isNotNull();
    return registration;
  }

  final HttpResponse<String> get(String path) throws Exception {
    return send(HttpRequest.newBuilder(uri(path)));
  }

  final HttpResponse<String> call(String body) throws Exception {
    return send(
        HttpRequest.newBuilder(uri("/api/v1"))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body)));
  }

  final URI uri(String path) {
    return URI.create("http://127.0.0.1:" + agent.address().getPort() + path);
  }

  static HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
  }
}
