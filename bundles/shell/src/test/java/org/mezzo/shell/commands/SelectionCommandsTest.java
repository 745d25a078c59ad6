package org.mezzo.shell.commands;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Module;
import org.mezzo.modules.Kind;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.local.LocalModules;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

final class SelectionCommandsTest {
  @TempDir Path folder;
  private final LocalModules modules = new LocalModules();
  private final Dictionary<String, Object> master = new Hashtable<>();
  private ModuleLease<Module> lease;

  @AfterEach
  void close() {
    modules.close();
  }

  /** One master that follows its configuration; no agents. */
  private SelectionCommands commands() {
    master.put("mezzo.daemon", "master");
    modules.register(Module.class, "allocator", "hierarchical", () -> new Module() {});
    modules.register(Module.class, "allocator", "round-robin", () -> new Module() {});
    lease =
        modules
            .leases()
            .lease(
                LeaseRequest.of(
                    Kind.serial(Module.class, "allocator"),
                    "hierarchical",
                    LocalModules.daemon("master", DaemonContext.Role.MASTER, folder),
                    Runnable::run));
    while (modules.leases().leases().get(0).holder().isEmpty()) {
      Thread.onSpinWait();
    }
    Configuration configuration =
        proxy(
            Configuration.class,
            (method, arguments) -> {
              if (method.equals("update")) {
                lease.select(String.valueOf(((Dictionary<?, ?>) arguments[0]).get("allocator")));
                return null;
              }
              return method.equals("getProperties") ? master : null;
            });
    ConfigurationAdmin admin =
        proxy(
            ConfigurationAdmin.class,
            (method, arguments) ->
                arguments[0].equals("(service.factoryPid=org.mezzo.master)")
                    ? new Configuration[] {configuration}
                    : null);
    return new SelectionCommands(modules.leases(), admin, Duration.ofSeconds(10));
  }

  private interface Call {
    Object of(String method, Object[] arguments);
  }

  private static <T> T proxy(Class<T> type, Call call) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> call.of(method.getName(), arguments)));
  }

  @Test
  void changesTheConfigurationAndWaitsForTheModule() throws Exception {
    String text = commands().select("allocator", "round-robin");
    assertThat(master.get("allocator")).isEqualTo("round-robin");
    assertThat(text.lines().toList().get(1))
        .startsWith("master")
        .contains("hierarchical")
        .contains("round-robin")
        .doesNotContain("not yet");
  }

  @Test
  void saysWhatIsWrong() {
    SelectionCommands commands = commands();
    assertThatThrownBy(() -> commands.select("allocator", "fair"))
        .hasMessage("There is no allocator 'fair': installed are hierarchical, round-robin");
    assertThatThrownBy(() -> commands.select("fetcher", "http"))
        .hasMessageContaining(
            "can change its allocator, isolator, hook, container-logger, http-authenticator,"
                + " authorizer, resource-estimator, qos-controller, secret-resolver,"
                + " secret-generator, anonymous, master-detector, authenticatee, master-contender,"
                + " not");
    assertThatThrownBy(() -> commands.select("allocator", "a,b")).hasMessageContaining("one alloc");
    assertThatThrownBy(() -> commands.select("allocator", "")).hasMessageContaining("not the name");
    assertThatThrownBy(() -> commands.select("authenticatee", "none"))
        .hasMessageContaining("There is no authenticatee 'none'");
    assertThatThrownBy(() -> commands.select("isolation", "none"))
        .hasMessageContaining("use the shell of an agent");
    assertThatThrownBy(() -> commands.select("http-authenticator", "none"))
        .hasMessageContaining("There is no http-authenticator 'none'");
    assertThat(master.get("allocator")).isNull();
  }

  @Test
  void completes() {
    SelectionCommands commands = commands();
    assertThat(commands.after(List.of("select"), ""))
        .containsExactly(
            "allocator",
            "isolator",
            "hook",
            "container-logger",
            "http-authenticator",
            "authorizer",
            "resource-estimator",
            "qos-controller",
            "secret-resolver",
            "secret-generator",
            "anonymous",
            "master-detector",
            "authenticatee",
            "master-contender");
    assertThat(commands.after(List.of("select", "allocator"), ""))
        .containsExactly("hierarchical", "round-robin");
    assertThat(commands.after(List.of("history"), "")).isEmpty();
  }
}
