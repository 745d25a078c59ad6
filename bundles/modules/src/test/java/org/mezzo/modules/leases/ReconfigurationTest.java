package org.mezzo.modules.leases;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Module;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.Kind;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.ModuleConfiguration.Changed;
import org.mezzo.modules.ModuleConfiguration.Manner;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.ParameterDescription;
import org.mezzo.modules.ParameterDescription.Type;
import org.mezzo.modules.ParameterDescriptions;
import org.mezzo.modules.local.LocalModules;

/** Parameters change while a module holds its lease. */
@Timeout(30)
final class ReconfigurationTest {
  private final ExecutorService loop = Executors.newSingleThreadExecutor();
  private final List<String> log = Collections.synchronizedList(new ArrayList<>());
  private final CountDownLatch stuck = new CountDownLatch(1);
  private final LeaseTable table =
      new LeaseTable(
          Limits.DEFAULT
              .withBackoff(Duration.ofMillis(20), Duration.ofMillis(80))
              .withDeadlines(Duration.ofSeconds(5), Duration.ofSeconds(5)));
  private final Greeters greeters = new Greeters();
  private ModuleLease<Greeter> lease;

  /** A kind for tests. */
  interface Greeter extends Module {
    String greet(String name) throws Exception;
  }

  /** Says the parameter {@code word}; takes another one while it runs where {@code live} is set. */
  private final class Wordy implements Greeter {
    volatile String word = "";

    @Override
    public void open(DaemonContext context) {
      word = word(context.parameters());
      log.add("open " + word);
    }

    private String word(Map<String, String> parameters) {
      String next = parameters.getOrDefault("word", "hello");
      if (next.equals("bad")) {
        throw new IllegalArgumentException("that is no word");
      }
      return next;
    }

    @Override
    public boolean reconfigured(Map<String, String> parameters) throws Exception {
      String next = word(parameters);
      if (next.equals("stuck")) {
        stuck.await();
      }
      if (parameters.containsKey("live")) {
        word = next;
        log.add("live " + word);
      }
      return parameters.containsKey("live");
    }

    @Override
    public String greet(String name) {
      return word + " " + name;
    }

    @Override
    public void close() {
      log.add("close " + word);
    }
  }

  private class Greeters implements Registration {
    private final ParameterDescriptions described =
        new ParameterDescriptions(
            "",
            List.of(
                parameter("word", Type.TEXT, List.of()),
                parameter("live", Type.BOOLEAN, List.of()),
                parameter("word.KEY", Type.PASSWORD, List.of())));

    private static ParameterDescription parameter(String name, Type type, List<String> options) {
      return new ParameterDescription(
          name, "", type, false, false, "", Optional.empty(), Optional.of("10"), options);
    }

    @Override
    public Announcement announcement() {
      return new Announcement("greeter", "wordy", "1", "", "", Set.of(), 1, "b1", "1.1", 1);
    }

    @Override
    public boolean provides(Class<?> type) {
      return type == Greeter.class;
    }

    @Override
    public Optional<ParameterDescriptions> parameters() {
      return Optional.of(described);
    }

    @Override
    public Module create() {
      return new Wordy();
    }

    @Override
    public void release(Module instance) {}
  }

  @BeforeEach
  void lease() {
    table.register(greeters);
    lease = lease("master", Kind.serial(Greeter.class, "greeter"));
    Await.until(() -> lease.epoch() > 0);
  }

  private ModuleLease<Greeter> lease(String daemon, Kind<Greeter> kind) {
    DaemonContext context =
        LocalModules.daemon(daemon, DaemonContext.Role.MASTER, Path.of("/nowhere"));
    return table.lease(LeaseRequest.of(kind, "wordy", context, loop));
  }

  @AfterEach
  void release() {
    table.close();
    stuck.countDown();
    loop.shutdownNow();
  }

  private String greeting() throws Exception {
    return get(lease.ask("greet", greeter -> greeter.greet("Ada")));
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  private Changed change(Map<String, String> values) throws Exception {
    List<Changed> changed = get(table.configuration().change("greeter", "wordy", values));
    assertThat(changed).hasSize(1);
    assertThat(changed.get(0).daemon()).isEqualTo("master");
    return changed.get(0);
  }

  @Test
  void anotherInstanceTakesOverWithThem() throws Exception {
    assertThat(greeting()).isEqualTo("hello Ada");
    assertThat(change(Map.of("word", "ahoy")).manner()).isEqualTo(Manner.RENEWED);
    assertThat(greeting()).isEqualTo("ahoy Ada");
    Await.until(() -> log.size() == 3);
    assertThat(log).containsExactly("open hello", "open ahoy", "close hello");
    assertThat(lease.epoch()).isEqualTo(2);
    assertThat(table.leases().get(0).gap()).isZero();
    assertThat(change(Map.of("word", "ahoy")).manner()).isEqualTo(Manner.NONE);
    assertThat(change(Map.of()).manner()).isEqualTo(Manner.RENEWED);
    assertThat(greeting()).isEqualTo("hello Ada");
  }

  @Test
  void aModuleThatTakesThemGoesOn() throws Exception {
    assertThat(change(Map.of("word", "ahoy", "live", "true")).manner()).isEqualTo(Manner.LIVE);
    assertThat(greeting()).isEqualTo("ahoy Ada");
    assertThat(lease.epoch()).isEqualTo(1);
    assertThat(log).containsExactly("open hello", "live ahoy");
    // What is opened later has them as well.
    lease.renew(1, "for the test", false);
    Await.until(() -> lease.epoch() == 2);
    assertThat(greeting()).isEqualTo("ahoy Ada");
  }

  @Test
  void whatCannotBeTakenSpeaksAgainstNobody() throws Exception {
    for (int i = 0; i < 6; i++) {
      Changed bad = change(Map.of("word", "bad"));
      assertThat(bad.manner()).isEqualTo(Manner.FAILED);
      assertThat(bad.problem()).contains("that is no word");
      assertThat(change(Map.of()).manner()).isEqualTo(Manner.NONE);
    }
    assertThat(greeting()).isEqualTo("hello Ada");
    assertThat(lease.epoch()).isEqualTo(1);
    assertThat(table.quarantined()).isEmpty();
  }

  @Test
  void anInstanceThatCannotBeOpenedLeavesTheOneBefore() throws Exception {
    Greeters fussy =
        new Greeters() {
          @Override
          public Announcement announcement() {
            return new Announcement("greeter", "fussy", "1", "", "", Set.of(), 2, "b2", "1", 2);
          }

          @Override
          public Module create() {
            return new Greeter() {
              @Override
              public void open(DaemonContext context) {
                if (context.parameters().containsKey("word")) {
                  throw new IllegalStateException("not with any word");
                }
              }

              @Override
              public String greet(String name) {
                return name;
              }
            };
          }
        };
    table.register(fussy);
    lease.select("fussy");
    Await.until(() -> lease.epoch() == 2);
    List<Changed> changed =
        get(table.configuration().change("greeter", "fussy", Map.of("word", "ahoy")));
    assertThat(changed.get(0).manner()).isEqualTo(Manner.FAILED);
    assertThat(changed.get(0).problem()).contains("not with any word");
    assertThat(table.quarantined()).isEmpty();
    assertThat(greeting()).isEqualTo("Ada");
    assertThat(lease.epoch()).isEqualTo(2);
    get(table.configuration().change("greeter", "fussy", Map.of()));
    assertThat(lease.epoch()).isEqualTo(2);
  }

  @Test
  void oneThatCannotBeOpenedGetsItsChanceWithOthers() throws Exception {
    lease.close();
    table.configuration().restore("greeter", "wordy", Map.of("word", "bad"));
    lease = lease("master", Kind.serial(Greeter.class, "greeter"));
    Await.until(() -> !table.quarantined().isEmpty());
    List<Changed> changed =
        get(table.configuration().change("greeter", "wordy", Map.of("word", "ahoy")));
    assertThat(changed.get(0).manner()).isEqualTo(Manner.RENEWED);
    assertThat(greeting()).isEqualTo("ahoy Ada");
  }

  @Test
  void aChangeThatHangsEndsWithItsDeadline() throws Exception {
    lease.close();
    Kind<Greeter> impatient =
        Kind.serial(Greeter.class, "greeter")
            .within(Optional.of(Duration.ofMillis(500)), Duration.ofSeconds(5));
    lease = lease("master", impatient);
    Await.until(() -> lease.epoch() > 0);
    Changed late = change(Map.of("word", "stuck"));
    assertThat(late.manner()).isEqualTo(Manner.FAILED);
    assertThat(late.problem()).contains("500");
  }

  @Test
  void whatDoesNotFitTheDescriptionIsToldWithTheRemedy() throws Exception {
    Changed bad = change(Map.of("live", "perhaps"));
    assertThat(bad.manner()).isEqualTo(Manner.FAILED);
    assertThat(bad.problem())
        .contains("parameter 'live' of greeter 'wordy' is 'perhaps' and has to be true or false")
        .contains("--modules")
        .contains("mezzo module config greeter/wordy");
    assertThatThrownBy(
            () ->
                table
                    .configuration()
                    .parameters(
                        1, "greeter", "wordy", Map.of("word.key", "geheimes Wort"), Map.of()))
        .hasMessageContaining(
            "parameter 'word.key' of greeter 'wordy' is something else and has to be a text")
        .hasMessageNotContaining("geheim");
  }
}
