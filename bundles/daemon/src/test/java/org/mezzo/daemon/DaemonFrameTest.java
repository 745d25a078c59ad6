package org.mezzo.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.anonymous.AnonymousModule;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.configuration.DaemonFlags;
import org.mezzo.fixtures.Await;
import org.mezzo.http.JettyConnectors;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.local.LocalModules;

class DaemonFrameTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final DaemonKind KIND =
      new DaemonKind(Role.AGENT, "slave(1)", "slave", 8, 2, Duration.ZERO);

  @TempDir Path folder;

  private final LocalModules modules = new LocalModules();

  @AfterEach
  void close() {
    modules.close();
  }

  private interface Beginning {
    void begin() throws IOException;
  }

  /** Serves one path, and does something when it is started. */
  private static final class Served implements Daemon {
    private final DaemonFrame frame;
    private final Beginning beginning;

    Served(DaemonFrame frame, Beginning beginning) {
      this.frame = frame;
      this.beginning = beginning;
      frame
          .router()
          .add(
              TestEndpoint.of(
                  "/it",
                  Access.NONE,
                  (it, who) -> it.respond(org.mezzo.http.HttpResponse.text(200, "here"))));
    }

    @Override
    public void start() throws IOException {
      beginning.begin();
    }

    @Override
    public void close() {
      frame.close();
    }
  }

  private DaemonFrame open() throws Exception {
    return open("");
  }

  private DaemonFrame open(String anonymous) throws Exception {
    DaemonFlags flags =
        DaemonFlags.of(
            Role.AGENT,
            new TestFlags(
                Map.of("ip", "127.0.0.1", "hostname", "here", "anonymous_modules", anonymous)),
            new DaemonFlags.Folders(folder.resolve("work"), Optional.of(folder.resolve("run"))));
    return DaemonFrame.open("test", KIND, flags, modules.leases(), new JettyConnectors());
  }

  private static HttpResponse<String> get(DaemonFrame frame) throws IOException {
    try {
      return HttpClient.newHttpClient()
          .send(
              HttpRequest.newBuilder(
                      URI.create("http://127.0.0.1:" + frame.address().getPort() + "/it"))
                  .build(),
              HttpResponse.BodyHandlers.ofString());
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  @Test
  void isKnownByItsPortAndUnavailableUntilItIsStarted() throws Exception {
    DaemonFrame frame = open();
    assertThat(frame.advertised().port()).isEqualTo(frame.address().getPort()).isNotZero();
    List<HttpResponse<String>> meanwhile = new ArrayList<>();
    try (Daemon daemon = frame.start(it -> new Served(it, () -> meanwhile.add(get(it))))) {
      assertThat(meanwhile.get(0).statusCode()).isEqualTo(503);
      assertThat(meanwhile.get(0).body()).isEqualTo("The agent is starting");
      assertThat(get(frame).body()).isEqualTo("here");
    }
    assertThatThrownBy(() -> get(frame)).isInstanceOf(IOException.class);
  }

  @Test
  void maySayItselfWhenItCanAnswer() throws Exception {
    DaemonFrame frame = open();
    List<String> meanwhile = new ArrayList<>();
    Daemon daemon =
        frame.start(
            it ->
                new Served(
                    it,
                    () -> {
                      it.openBorder();
                      meanwhile.add(get(it).body());
                    }));
    daemon.close();
    assertThat(meanwhile).containsExactly("here");
  }

  @Test
  void closesTheLatestFirstAndGoesOnPastFailures() throws Exception {
    DaemonFrame frame = open();
    List<String> closed = new ArrayList<>();
    frame.own(
        () -> {
          closed.add("first");
          assertThat(get(frame).body()).isEqualTo("The agent is stopping");
          closed.add("and nobody is let in");
        });
    frame.own(
        () -> {
          throw new IllegalStateException("on purpose");
        });
    frame.own(() -> closed.add("last"));
    frame.openBorder();
    frame.close();
    frame.close();
    assertThat(closed).containsExactly("last", "first", "and nobody is let in");
  }

  @Test
  void aDaemonThatCannotBeMadeOrStartedLeavesNothingOpen() throws Exception {
    List<String> closed = new ArrayList<>();
    for (boolean made : new boolean[] {false, true}) {
      DaemonFrame frame = open();
      assertThatThrownBy(
              () ->
                  frame.start(
                      it -> {
                        it.own(() -> closed.add("part"));
                        if (!made) {
                          throw new IllegalArgumentException("--it: is bad");
                        }
                        return new Served(
                            it,
                            () -> {
                              throw new IllegalArgumentException("--it: is bad");
                            });
                      }))
          .isInstanceOf(IOException.class)
          .hasMessage("--it: is bad");
      assertThatThrownBy(() -> get(frame)).isInstanceOf(IOException.class);
    }
    assertThat(closed).containsExactly("part", "part");
    // Its folders are free again.
    open().close();
  }

  /** Lives, and notes what becomes of it; asks its daemon for something when it opens. */
  private final class Companion implements AnonymousModule {
    private final String name;
    private final DaemonFrame frame;
    private final List<String> notes;

    Companion(String name, DaemonFrame frame, List<String> notes) {
      this.name = name;
      this.frame = frame;
      this.notes = notes;
    }

    @Override
    public void open(DaemonContext context) throws IOException {
      notes.add(name + " of " + context.daemon() + " opens: " + get(frame).body());
    }

    @Override
    public void close() {
      notes.add(name + " ends");
    }
  }

  @Test
  void hasAnonymousModulesBesideADaemonThatServes() throws Exception {
    List<String> notes = new CopyOnWriteArrayList<>();
    DaemonFrame frame = open("one,missing,failing,two");
    modules.register(Kinds.ANONYMOUS, "one", new Companion("one", frame, notes));
    modules.register(
        Kinds.ANONYMOUS,
        "failing",
        new AnonymousModule() {
          @Override
          public void open(DaemonContext context) {
            throw new IllegalStateException("on purpose");
          }
        });
    Daemon daemon =
        frame.start(
            it ->
                new Served(
                    it,
                    () ->
                        modules.register(Kinds.ANONYMOUS, "two", new Companion("two", it, notes))));
    Await.until("both have opened", PATIENCE, () -> notes.size() == 2);
    assertThat(notes)
        .containsExactlyInAnyOrder("one of test opens: here", "two of test opens: here");

    // A swap: the successor opens before the other one ends.
    notes.clear();
    modules.register(Kinds.ANONYMOUS, "one", new Companion("next", frame, notes));
    Await.until("the successor lives", PATIENCE, () -> notes.size() == 2);
    assertThat(notes).containsExactly("next of test opens: here", "one ends");

    notes.clear();
    frame.selectAnonymous(List.of("one"));
    Await.until("one is left", PATIENCE, () -> notes.size() == 1);
    assertThat(notes).containsExactly("two ends");
    notes.clear();
    daemon.close();
    Await.until("none is left", PATIENCE, () -> notes.size() == 1);
    assertThat(notes).containsExactly("next ends");
  }

  @Test
  void locksBothItsFolders() throws Exception {
    try (DaemonFrame frame = open()) {
      assertThat(frame.identity().runtimeDir()).isEqualTo(folder.resolve("run").toAbsolutePath());
      assertThatThrownBy(this::open).hasMessageContaining("in use by another agent");
      assertThatThrownBy(() -> WorkDirLock.acquire(folder.resolve("run"), "agent"))
          .hasMessageContaining("in use by another agent");
    }
  }
}
