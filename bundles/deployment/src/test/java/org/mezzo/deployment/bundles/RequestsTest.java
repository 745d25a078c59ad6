package org.mezzo.deployment.bundles;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.ByteArrayInputStream;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.modules.GoodGreeter;
import org.slf4j.LoggerFactory;

/** What becomes of changes that somebody asks for. */
@Timeout(60)
final class RequestsTest extends DeploymentsInFramework {
  /** Lets the folder be looked at twice, for whatever may come of it. */
  private void awaitLooks() throws Exception {
    for (String name : List.of("one.jar", "two.jar")) {
      Path later = Files.writeString(modules.resolve(name), "no jar");
      await(() -> deployments.list().stream().anyMatch(d -> d.file().equals(name)));
      Files.delete(later);
      await(() -> deployments.list().stream().noneMatch(d -> d.file().equals(name)));
    }
  }

  /** A folder in the place of a file: not even root writes that. */
  private Path inTheWay(String name) throws Exception {
    return Files.writeString(
        Files.createDirectories(modules.resolve(name)).resolve("something"), "x");
  }

  /** Nobody may have looked in between. */
  @Test
  void aJarThatComesRightAfterItsNameWasUninstalledIsDeployed() throws Exception {
    Path jar = good("1.0.0", "greeter.jar");
    Path kept = Files.copy(jar, dir.resolve("kept.jar"));
    deploy();
    for (int i = 0; i < 5; i++) {
      await(() -> holder().equals("1.0.0"));
      assertThat(deployments.uninstall("greeter").toCompletableFuture().get().succeeded()).isTrue();
      Files.copy(kept, dir.resolve("next.jar"));
      Files.move(dir.resolve("next.jar"), jar);
    }
    await(() -> holder().equals("1.0.0"));
  }

  @Test
  void whatTheFolderCannotTakeHoldsUntilTheHostStopsAndSaysSo() throws Exception {
    deploy();
    good("1.0.0", "greeter.jar");
    last(1);
    await(() -> holder().equals("1.0.0"));
    Path obstacle = inTheWay("asked.jar");
    Path asked = greeter("2.0.0", GoodGreeter.class).build(dir.resolve("asked.jar"));
    Action swap = ask(asked);
    assertThat(swap.succeeded()).as(swap.outcome()).isTrue();
    assertThat(swap.outcome())
        .contains("it runs, but cannot be kept in " + modules)
        .contains("it is gone when this host stops")
        .contains("Make that folder writable and ask for it again");
    awaitLooks();
    assertThat(holder()).isEqualTo("2.0.0");
    assertThat(running()).containsExactly("greeter 2.0.0");
    assertThat(only().problem()).contains("it runs, but cannot be kept in " + modules);
    assertThat(deployments.history()).hasSize(2);
    assertThat(deployments.verdicts()).isEmpty();
    try (Stream<Path> files = Files.list(modules)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder("greeter.jar", "asked.jar");
    }

    restart();
    await(() -> holder().equals("1.0.0"));
    assertThat(ask(asked).outcome()).contains("cannot be kept");
    Files.delete(obstacle);
    Files.delete(modules.resolve("asked.jar"));
    Action again = ask(asked);
    assertThat(again.succeeded()).isTrue();
    assertThat(again.outcome()).isEqualTo("exactly this jar is installed already");
    assertThat(modules.resolve("asked.jar")).exists();
    assertThat(modules.resolve("greeter.jar")).doesNotExist();
    await(() -> only().problem().isEmpty() && only().file().equals("asked.jar"));
  }

  @Test
  void whatTheFolderCouldNotTakeIsReplacedByWhatComesIntoIt() throws Exception {
    deploy();
    good("1.0.0", "greeter.jar");
    last(1);
    await(() -> holder().equals("1.0.0"));
    inTheWay("asked.jar");
    ask(greeter("2.0.0", GoodGreeter.class).build(dir.resolve("asked.jar")));
    assertThat(holder()).isEqualTo("2.0.0");
    good("3.0.0", "greeter.jar");
    await(() -> running().equals(List.of("greeter 3.0.0")));
    await(() -> deployments.history().size() == 3);
    assertThat(deployments.history()).allMatch(Action::succeeded);
  }

  /** A path that throws when it is read. */
  private static Path throwing(Error error) {
    return (Path)
        Proxy.newProxyInstance(
            RequestsTest.class.getClassLoader(),
            new Class<?>[] {Path.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("getFileName")) {
                return Path.of("greeter.jar");
              }
              throw error;
            });
  }

  @Test
  void anErrorEndsTheRequestAndNothingElse() throws Exception {
    deploy();
    CompletableFuture<Action> bad =
        deployments.install(throwing(new LinkageError("torn")), "Ada").toCompletableFuture();
    Path jar = greeter("1.0.0", GoodGreeter.class).build(dir.resolve("good.jar"));
    CompletableFuture<Action> queued = deployments.install(jar, "Ada").toCompletableFuture();
    await(bad::isDone);
    assertThatThrownBy(bad::get)
        .hasRootCauseInstanceOf(LinkageError.class)
        .hasMessageContaining("The change failed unexpectedly (java.lang.LinkageError: torn)");
    await(queued::isDone);
    assertThat(queued.get().succeeded()).isTrue();
    good("1.1.0", "good.jar");
    await(() -> running().equals(List.of("greeter 1.1.0")));
  }

  @Test
  void anErrorWhileTheFolderIsFollowedIsSaidOnceAndTheFolderIsFollowedOn() throws Exception {
    ListAppender<ILoggingEvent> log = new ListAppender<>();
    log.start();
    Logger logger = (Logger) LoggerFactory.getLogger(BundleDeployments.class);
    logger.addAppender(log);
    try {
      deploy();
      failure = () -> new LinkageError("torn");
      awaitLine(log, "The module folder could not be followed; it is looked at again");
      int asked = patienceAsked.get();
      await(() -> patienceAsked.get() > asked + 2);
      failure = null;
      good("1.0.0", "greeter.jar");
      assertThat(last(1).symbolicName()).isEqualTo("greeter");
      assertThat(lines(log)).filteredOn(line -> line.contains("not be followed;")).hasSize(1);
    } finally {
      logger.detachAppender(log);
    }
  }

  @Test
  void whatIsAskedOfAHostThatStopsFailsAtOnce() throws Exception {
    deploy();
    BundleDeployments stopped = deployments;
    deployments = null;
    stopped.deactivate();
    CompletableFuture<Action> late = stopped.uninstall("greeter", "Ada").toCompletableFuture();
    await(late::isDone);
    assertThatThrownBy(late::get).hasMessageContaining("The host is stopping");
  }

  @Test
  void aNameThatIsNoneForAJarIsRefusedBeforeAnythingIsRead() throws Exception {
    deploy();
    Path jar = greeter("1.0.0", GoodGreeter.class).build(dir.resolve("good.jar"));
    byte[] bytes = Files.readAllBytes(jar);
    for (String name :
        List.of(
            "",
            ".jar",
            ".hidden.jar",
            "greeter",
            "greeter.zip",
            "../greeter.jar",
            "/greeter.jar",
            "a/b.jar",
            "a\\b.jar",
            "a\0b.jar",
            "a\nb.jar",
            "..")) {
      ByteArrayInputStream in = new ByteArrayInputStream(bytes);
      assertThatThrownBy(() -> deployments.install(name, in, "Ada"))
          .as(name)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("is no name for a jar in the module folder")
          .hasMessageContaining("must end in .jar");
      assertThat(in.available()).isEqualTo(bytes.length);
    }
    for (String name : List.of(".hidden.jar", "greeter", "/")) {
      Path path = dir.resolve(name);
      assertThatThrownBy(() -> deployments.install(path, "Ada"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("is no name for a jar in the module folder");
      assertThatThrownBy(() -> deployments.swap(path, "Ada"))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThat(deployments.history()).isEmpty();
    assertThat(modules).isEmptyDirectory();
  }

  @Test
  void aSymbolicNameThatCouldBeAPathIsRefused() throws Exception {
    deploy();
    int asked = 0;
    for (String name :
        List.of("../greeter", ".greeter", "a/b", "a\\b", "a b", "gr\u00fc\u00dfer")) {
      Path jar =
          greeter("1.0.0", GoodGreeter.class)
              .header("Bundle-SymbolicName", name)
              .build(dir.resolve("bad.jar"));
      Action action = ask(jar);
      assertThat(action.succeeded()).as(name).isFalse();
      assertThat(action.outcome())
          .contains("its Bundle-SymbolicName '" + name + "' is none")
          .contains("letters, digits, dots, hyphens and underscores");
      assertThat(deployments.history()).hasSize(++asked);
    }
    assertThat(modules).isEmptyDirectory();
    assertThat(installed()).isEmpty();
    Files.copy(dir.resolve("bad.jar"), modules.resolve("bad.jar"));
    await(() -> deployments.list().size() == 1);
    assertThat(only().state()).isEqualTo("unreadable");
    assertThat(only().problem()).contains("is none");
  }
}
