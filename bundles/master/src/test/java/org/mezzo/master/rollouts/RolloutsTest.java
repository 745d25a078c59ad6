package org.mezzo.master.rollouts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.mezzo.coordination.Registry;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.fixtures.Await;
import org.mezzo.link.messages.MasterStanding;
import org.mezzo.link.messages.ModuleReport;
import org.mezzo.link.messages.ModuleStatus;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.MasterInfo;

/** What is wanted, kept by a registry that may refuse it, or outlive the master that writes it. */
class RolloutsTest {
  private static final Rollout.Pace PACE =
      new Rollout.Pace(1, Duration.ZERO, Duration.ofSeconds(60), 10);

  private final EventLoop loop = new EventLoop("test");
  private final Map<String, byte[]> registry = new HashMap<>();

  /** How many more writes the registry takes; it never answers those after them. */
  private int writes = Integer.MAX_VALUE;

  /** What masters say. */
  private volatile Map<String, MasterStanding> standings = Map.of();

  private boolean refuses;
  private Rollouts rollouts = open();

  @AfterEach
  void end() {
    loop.close();
  }

  private Rollouts open() {
    MasterState state =
        MasterState.begin(
            MasterInfo.getDefaultInstance(),
            Clock.systemUTC().instant(),
            MasterState.Limits.DEFAULT,
            MasterState.Counters.ZERO);
    return new Rollouts(
        loop,
        Clock.systemUTC(),
        () -> state,
        step -> {},
        (agent, event) -> {},
        this::write,
        () -> CompletableFuture.completedFuture(standings),
        new MetricsRegistry());
  }

  private CompletionStage<Void> write(List<Registry.Change> changes) {
    CompletableFuture<Void> result = new CompletableFuture<>();
    if (refuses) {
      loop.execute(() -> result.completeExceptionally(new Registry.RefusedException("it is full")));
    } else if (writes-- > 0) {
      changes.forEach(
          it -> {
            if (it.value() == null) {
              registry.remove(it.key());
            } else {
              registry.put(it.key(), it.value());
            }
          });
      loop.execute(() -> result.complete(null));
    }
    return result;
  }

  private <T> T onLoop(Supplier<T> what) throws Exception {
    return CompletableFuture.supplyAsync(what, loop).get(60, TimeUnit.SECONDS);
  }

  private void begin() throws Exception {
    Rollouts.Stored stored = Rollouts.Stored.of(registry);
    onLoop(
        () -> {
          rollouts.begin(stored);
          return null;
        });
  }

  private CompletionStage<Void> roll(UploadedJar jar) throws Exception {
    return onLoop(() -> rollouts.roll(jar, Selector.ALL, PACE, "anna"));
  }

  private static void get(CompletionStage<Void> stage) throws Exception {
    stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private DesiredModules wanted() throws Exception {
    return onLoop(() -> rollouts.report().wanted());
  }

  private void awaitDone(long number) {
    Await.until("generation " + number, () -> wanted().current().number() == number);
  }

  static UploadedJar jar(String version, int size) throws IOException {
    byte[] noise = new byte[size];
    new Random(size).nextBytes(noise);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      zip.putNextEntry(new ZipEntry("noise"));
      zip.write(noise);
      zip.putNextEntry(new ZipEntry("META-INF/MANIFEST.MF"));
      zip.write(
          ("Manifest-Version: 1.0\nBundle-SymbolicName: org.example;singleton:=true\n"
                  + "Bundle-Version: "
                  + version
                  + "\n\n")
              .getBytes(StandardCharsets.UTF_8));
    }
    return UploadedJar.read(bytes.toByteArray());
  }

  private static void assertRefused(CompletionStage<Void> stage, int status, String text) {
    assertThatThrownBy(() -> get(stage))
        .cause()
        .isInstanceOfSatisfying(
            Refused.class,
            it -> {
              assertThat(it.status()).isEqualTo(status);
              assertThat(it.getMessage()).contains(text);
            });
  }

  @Test
  void nextMasterHasWhatThisOneWanted() throws Exception {
    begin();
    UploadedJar jar = jar("1.2.0", 1_000_000);
    get(roll(jar));
    awaitDone(1);
    rollouts = open();
    begin();

    assertThat(wanted().current().modules())
        .containsExactly(
            new WantedBundle(
                "org.example", "1.2.0", jar.sha256(), jar.content().length, Selector.ALL));
    assertThat(onLoop(() -> rollouts.report().contentBytes())).isEqualTo(jar.content().length);
  }

  @Test
  void uploadThatIsCutOffByTheEndOfItsMasterLeavesNothing() throws Exception {
    begin();
    writes = 2;
    roll(jar("1.0.0", 1_500_000));
    Await.until("two parts are there", () -> onLoop(() -> registry.size()) == 2);
    onLoop(
        () -> {
          rollouts.close();
          return null;
        });
    writes = Integer.MAX_VALUE;
    rollouts = open();
    begin();

    assertThat(wanted()).isEqualTo(DesiredModules.NONE);
    Await.until("the parts are gone", () -> onLoop(registry::isEmpty));
  }

  @Test
  void whoWaitsIsToldWhenTheMasterLeadsNoLonger() throws Exception {
    begin();
    writes = 1;
    CompletionStage<Void> waiting = roll(jar("1.0.0", 1_500_000));
    onLoop(
        () -> {
          rollouts.close();
          return null;
        });

    assertRefused(waiting, 503, "leads no longer");
  }

  @Test
  void oneOfTwoOperatorsAtOnceIsRefused() throws Exception {
    begin();
    UploadedJar one = jar("1.0.0", 10);
    UploadedJar two = jar("2.0.0", 10);
    List<CompletionStage<Void>> both =
        onLoop(
            () ->
                List.of(
                    rollouts.roll(one, Selector.ALL, PACE, "anna"),
                    rollouts.roll(two, Selector.ALL, PACE, "bert")));

    assertRefused(both.get(1), 409, "try again");
    get(both.get(0));
    awaitDone(1);
    assertRefused(roll(one), 409, "wanted already");
  }

  @Test
  void fullRegistryChangesNothing() throws Exception {
    begin();
    refuses = true;
    assertRefused(roll(jar("1.0.0", 10)), 413, "it is full");
    assertThat(wanted()).isEqualTo(DesiredModules.NONE);
    refuses = false;
    get(roll(jar("1.0.0", 10)));
    awaitDone(1);
  }

  @Test
  void jarsThatNoGenerationNamesGo() throws Exception {
    begin();
    for (int i = 1; i <= 3; i++) {
      get(roll(jar(i + ".0.0", 10)));
      awaitDone(i);
    }
    // Those of the present generation and the one before, each with one part, and what is wanted.
    Await.until("the first jar is gone", () -> onLoop(() -> registry.size()) == 5);
    get(onLoop(() -> rollouts.order(Rollouts.Order.ROLLBACK, "bert")));
    awaitDone(4);
    assertThat(wanted().current().modules().get(0).version()).isEqualTo("2.0.0");
    assertThat(wanted().current().who()).isEqualTo("bert");
    get(onLoop(() -> rollouts.remove("org.example", PACE, "anna")));
    awaitDone(5);
    assertThat(wanted().current().modules()).isEmpty();
    assertRefused(onLoop(() -> rollouts.remove("org.example", PACE, "anna")), 404, "no bundle");
    assertRefused(onLoop(() -> rollouts.order(Rollouts.Order.PAUSE, "anna")), 409, "No rollout");
  }

  @Test
  void whatIsNoBundleIsRefusedWithTheReason() throws Exception {
    assertThatThrownBy(() -> UploadedJar.read(new byte[0])).hasMessageContaining("empty");
    assertThatThrownBy(() -> UploadedJar.read("text".getBytes(StandardCharsets.UTF_8)))
        .hasMessageContaining("no jar");
    byte[] whole = jar("1.0.0", 100_000).content();
    byte[] half = Arrays.copyOf(whole, whole.length / 2);
    assertThatThrownBy(() -> UploadedJar.read(half)).hasMessageContaining("end of it is missing");
    assertThatThrownBy(() -> jar("one", 10)).hasMessageContaining("Bundle-Version");
    assertThat(jar("1.0", 10).symbolicName()).isEqualTo("org.example");
  }

  @Test
  void selectorIsReadAsItIsWritten() {
    assertThat(Selector.parse("")).isEqualTo(Selector.ALL);
    assertThat(Selector.parse("region=r, rack=a").toString()).isEqualTo("rack=a,region=r");
    assertThatThrownBy(() -> Selector.parse("rack")).hasMessageContaining("'rack' is no part");
  }

  private static MasterStanding says(String pid, long generation) {
    return MasterStanding.newBuilder()
        .setMaster(MasterInfo.newBuilder().setId(pid).setIp(0).setPort(5050).setPid(pid))
        .setModules(
            ModuleStatus.newBuilder()
                .setGeneration(generation)
                .setHostId(pid)
                .addModules(
                    ModuleReport.newBuilder()
                        .setSymbolicName("org.example")
                        .setState(ModuleReport.State.ACTIVE)))
        .build();
  }

  private void awaitTouched(String... masters) {
    Await.until(
        "told were " + List.of(masters),
        () -> wanted().rollout().map(Rollout::touched).orElse(List.of()).equals(List.of(masters)));
  }

  @Test
  void nextLeaderWaitsForAMasterThatWasToldAndHasNotBeenSeenYet() throws Exception {
    standings = Map.of("master@1", says("master@1", 0), "master@2", says("master@2", 0));
    begin();
    UploadedJar jar = jar("1.0.0", 10);
    get(onLoop(() -> rollouts.roll(jar, Selector.parse("role=master"), PACE, "anna")));
    awaitTouched("master@1");
    onLoop(
        () -> {
          rollouts.close();
          return null;
        });
    standings = Map.of("master@2", says("master@2", 0));
    rollouts = open();
    begin();
    assertThat(onLoop(() -> rollouts.report().hosts()).stream().filter(HostView::returning))
        .extracting(HostView::id)
        .containsExactly("master@1");
    standings = Map.of("master@1", says("master@1", 1), "master@2", says("master@2", 0));
    awaitTouched("master@1", "master@2");
    standings = Map.of("master@1", says("master@1", 1), "master@2", says("master@2", 1));
    awaitDone(1);
  }

  @Test
  void generationsForMastersAreKeptInAFormThatOlderMastersRefuse() throws Exception {
    begin();
    get(roll(jar("1.0.0", 10)));
    awaitDone(1);
    assertThat(registry.get(ModulesRegistry.KEY)[1]).isEqualTo((byte) 1);
    UploadedJar jar = jar("2.0.0", 10);
    get(onLoop(() -> rollouts.roll(jar, Selector.parse("role=any,region=b"), PACE, "anna")));

    assertThat(registry.get(ModulesRegistry.KEY)[1]).isEqualTo((byte) 2);
    assertThat(ModulesRegistry.read(registry)).isEqualTo(wanted());
  }
}
