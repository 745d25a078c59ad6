package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer.OrderAnnotation;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.hook.Hook;
import org.mezzo.deployment.journal.BundleStore;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.hooks.ExitingActivator;
import org.mezzo.itests.hooks.GoodHook;
import org.mezzo.itests.hooks.HangingActivator;
import org.mezzo.testing.bundles.ModuleBundle;

/**
 * Modules that come by the command line and over HTTP, good ones and bad ones, into one cluster,
 * each test after the one before.
 */
@TestMethodOrder(OrderAnnotation.class)
class ModuleDoorIT {
  private static final String NAME = "org.mezzo.itests.guest";
  private static final String IMPORTS = "org.mezzo.api,org.mezzo.api.hook,org.mezzo.protocol.v1";
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  @TempDir static Path folder;
  private static Distribution distribution;
  private static LocalCluster cluster;

  @BeforeAll
  static void start() throws Exception {
    distribution = Distribution.built().copyTo(folder.resolve("mezzo"));
    cluster = LocalCluster.start(distribution, 1, "--hooks=guest", "--max_module_size=1MB");
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  private static ModuleBundle hook(String version) throws IOException {
    return ModuleBundle.of(NAME, version)
        .header("Import-Package", IMPORTS)
        .module(GoodHook.class, Hook.class, Hook.KIND, "guest");
  }

  private static Path built(ModuleBundle bundle) throws IOException {
    return bundle.build(folder.resolve("sent.jar"));
  }

  private static String run(int status, String... arguments) throws Exception {
    List<String> all = new ArrayList<>(List.of("module"));
    all.addAll(List.of(arguments));
    all.add("--master=" + cluster.master().getAuthority());
    MezzoProcess process =
        MezzoProcess.start(distribution, folder.resolve("logs"), all.toArray(String[]::new));
    int ended = process.await(PATIENCE);
    String said = process.stdout() + process.stderr();
    assertThat(ended).as(said).isEqualTo(status);
    return said;
  }

  private static Http.Answer send(String path, Path jar) throws IOException {
    return Http.post(
        cluster.master().resolve("/mezzo/modules/" + path),
        "application/java-archive",
        Files.readAllBytes(jar));
  }

  private static JsonNode deployments() throws IOException {
    return Http.get(cluster.master().resolve("/mezzo/deployments")).json();
  }

  private static List<String> installed() throws IOException {
    List<String> installed = new ArrayList<>();
    for (JsonNode one : deployments().path("deployments")) {
      installed.add(
          one.path("name").asText()
              + " "
              + one.path("version").asText()
              + " "
              + one.path("state").asText());
    }
    return installed.stream().sorted().toList();
  }

  private static List<String> files(Path dir) throws IOException {
    try (Stream<Path> files = Files.list(dir)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static String serving() throws IOException {
    JsonNode modules = Http.get(cluster.master().resolve("/mezzo/modules")).json().path("modules");
    for (JsonNode module : modules) {
      if (module.path("name").asText().equals("guest")
          && module.path("daemons").toString().contains("\"master\"")) {
        return module.at("/bundle/version").asText();
      }
    }
    return "";
  }

  private static void awaitServing(String version) {
    Await.until("hook " + version + " serves", PATIENCE, () -> serving().equals(version));
  }

  @Test
  @Order(1)
  void theCommandLineInstallsSwapsRollsBackAndRemoves() throws Exception {
    List<String> shipped = installed();
    assertThat(run(0, "diff")).contains("Nothing differs.");
    Path jar = built(hook("1.0.0"));
    assertThat(run(0, "verify", jar.toString()))
        .contains("it can be installed", NAME + " 1.0.0", "hook guest", "would be   install");
    assertThat(installed()).isEqualTo(shipped);
    assertThat(run(0, "install", jar.toString()))
        .contains("master: install " + NAME + " 1.0.0: installed and started");
    awaitServing("1.0.0");
    assertThat(run(0, "swap", built(hook("1.1.0")).toString()))
        .contains("swap " + NAME + " 1.0.0 -> 1.1.0: the new version took over", "gap 0 ms");
    awaitServing("1.1.0");
    assertThat(run(1, "diff")).contains(NAME, "1.1.0", ", not shipped", "master, agent 127.0.0.1");
    assertThat(run(0, "rollback", NAME)).contains("swap " + NAME + " 1.1.0 -> 1.0.0");
    assertThat(serving()).isEqualTo("1.0.0");
    assertThat(run(1, "rollback", NAME)).contains("FAILED: no other version ran before");
    assertThat(run(1, "update", built(hook("0.9.0")).toString()))
        .contains("its version 0.9.0 is lower than the 1.0.0 that is installed", "1.0.0 stays");
    assertThat(run(0, "info", "guest"))
        .contains("master: " + NAME + " 1.0.0", "used by ", "1.1.0 was rolled back")
        .contains("by somebody at 127.0.0.1: ");
    String agent = cluster.agents().get(0).path("pid").asText().replaceFirst(".*@", "");
    assertThat(run(0, "uninstall", NAME, "--agent=" + agent))
        .contains("agent " + agent + ": uninstall " + NAME + " 1.0.0: removed");
    assertThat(installed()).as("of the whole process").isEqualTo(shipped);
  }

  /** What a daemon is sent that it must not take, by what it says of that. */
  private static Map<String, Path> bad() throws Exception {
    Map<String, Path> bad = new LinkedHashMap<>();
    bad.put(
        "it is no jar, or was cut off", Files.writeString(folder.resolve("text.jar"), "no jar"));
    byte[] whole = Files.readAllBytes(built(hook("3.0.0")));
    bad.put(
        "half.jar cannot be installed: it is no jar, or was cut off",
        Files.write(folder.resolve("half.jar"), Arrays.copyOf(whole, whole.length / 2)));
    Path none = folder.resolve("none.jar");
    try (OutputStream out = Files.newOutputStream(none);
        var zip = new java.util.zip.ZipOutputStream(out)) {
      zip.putNextEntry(new java.util.zip.ZipEntry("x"));
    }
    bad.put("it has no META-INF/MANIFEST.MF and so is no bundle", none);
    bad.put(
        "of the kind 'hok', which this host does not know",
        ModuleBundle.of(NAME + ".kind", "1.0.0")
            .header("Import-Package", IMPORTS)
            .module(GoodHook.class, Hook.class, "hok", "guest")
            .build(folder.resolve("kind.jar")));
    bad.put(
        "it exports org.mezzo.api, which the host itself provides",
        hook("3.1.0")
            .header("Export-Package", "org.mezzo.api;version=\"0.9\"")
            .build(folder.resolve("poison.jar")));
    bad.put(
        "it needs the package org.nowhere, which no installed bundle provides",
        ModuleBundle.of(NAME + ".lacking", "1.0.0")
            .header("Import-Package", IMPORTS + ",org.nowhere")
            .module(GoodHook.class, Hook.class, Hook.KIND, "lacking")
            .build(folder.resolve("lacking.jar")));
    // Each needs the other one, so that neither can come first.
    bad.put(
        "it needs the package org.cycle.b, which no installed bundle provides",
        ModuleBundle.of(NAME + ".cycle", "1.0.0")
            .header("Import-Package", IMPORTS + ",org.cycle.b")
            .header("Export-Package", "org.cycle.a")
            .with("org/cycle/a/x", "x")
            .module(GoodHook.class, Hook.class, Hook.KIND, "cycle")
            .build(folder.resolve("cycle.jar")));
    bad.put(
        "it has not returned from being started within 10000 ms",
        hook("3.2.0")
            .with(HangingActivator.class)
            .header("Import-Package", IMPORTS + ",org.osgi.framework")
            .header("Bundle-Activator", HangingActivator.class.getName())
            .build(folder.resolve("hangs.jar")));
    return bad;
  }

  private static void assertUnchanged(List<String> installed, List<String> files)
      throws IOException {
    Await.until(
        "what was installed is",
        PATIENCE,
        () ->
            installed()
                .equals(
                    Stream.concat(
                            installed.stream(),
                            installed().stream().filter(one -> one.endsWith(" stuck")))
                        .sorted()
                        .toList()));
    assertThat(files(distribution.modules())).isEqualTo(files);
    for (String daemon : List.of("master", "agent-1")) {
      assertThat(cluster.folder().resolve("work").resolve(daemon).resolve("uploads"))
          .isEmptyDirectory();
    }
  }

  @Test
  @Order(2)
  void whatIsBadGetsAClearAnswerChangesNothingAndLeavesNothing() throws Exception {
    run(0, "install", hook("2.0.0").build(folder.resolve("good.jar")).toString());
    awaitServing("2.0.0");
    List<String> installed = installed();
    List<String> files = files(distribution.modules());
    for (Map.Entry<String, Path> each : bad().entrySet()) {
      Http.Answer answer = send("install?name=" + each.getValue().getFileName(), each.getValue());
      assertThat(answer.status()).as(answer.text()).isEqualTo(409);
      assertThat(Http.JSON.readTree(answer.body()).at("/action/outcome").asText())
          .contains(each.getKey());
      assertThat(Http.JSON.readTree(answer.body()).at("/action/succeeded").asBoolean(true))
          .isFalse();
      assertUnchanged(installed, files);
    }
    Path good = built(hook("3.3.0"));
    Http.Answer digest = send("install?name=good.jar&sha256=" + "0".repeat(64), good);
    assertThat(digest.status()).isEqualTo(400);
    assertThat(digest.text()).contains("has the SHA-256 " + BundleStore.digest(good));
    Path large = Files.write(folder.resolve("large.jar"), new byte[(1 << 20) + 1]);
    assertThat(run(1, "install", large.toString()))
        .contains("status 413", "1048577 bytes are more than is taken there; --max_module_size");
    cutOff(good);
    assertUnchanged(installed, files);
    assertThat(run(0, "install", folder.resolve("good.jar").toString()))
        .contains("exactly this jar is installed already");
    // Another module of that file name gets a name of its own in the folder.
    Path twin =
        ModuleBundle.of(NAME + ".twin", "1.0.0")
            .header("Import-Package", IMPORTS)
            .module(GoodHook.class, Hook.class, Hook.KIND, "twin")
            .build(folder.resolve("twin.jar"));
    assertThat(send("install?name=good.jar", twin).status()).isEqualTo(200);
    assertThat(files(distribution.modules())).containsAll(files).contains(NAME + ".twin-1.0.0.jar");
    run(0, "uninstall", NAME + ".twin");

    cluster.restart();
    awaitServing("2.0.0");
    assertUnchanged(installed, files);
  }

  private static void cutOff(Path jar) throws Exception {
    URI master = cluster.master();
    double before = cluster.metric("master/mezzo/module_uploads_cut_off");
    byte[] bytes = Files.readAllBytes(jar);
    try (Socket socket = new Socket(master.getHost(), master.getPort())) {
      OutputStream out = socket.getOutputStream();
      out.write(
          ("POST /mezzo/modules/install?name=cut.jar HTTP/1.1\r\nHost: here\r\nContent-Length: "
                  + bytes.length
                  + "\r\n\r\n")
              .getBytes(StandardCharsets.US_ASCII));
      out.write(bytes, 0, bytes.length / 2);
      out.flush();
      Await.until(
          "it is being received",
          PATIENCE,
          () -> cluster.metric("master/mezzo/module_uploads") == 1);
    }
    Await.until(
        "it is cut off",
        PATIENCE,
        () -> cluster.metric("master/mezzo/module_uploads_cut_off") == before + 1);
  }

  private static void tool(String... command) throws Exception {
    List<String> all = new ArrayList<>(List.of(command));
    all.set(0, Path.of(System.getProperty("java.home"), "bin", command[0]).toString());
    Process process = new ProcessBuilder(all).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(said).isZero();
  }

  @Test
  @Order(3)
  void whatEndsTheProcessIsNotThereAfterwardsAndSignaturesHoldForAllDoors() throws Exception {
    List<String> files = files(distribution.modules());
    Path exits =
        hook("4.0.0")
            .with(ExitingActivator.class)
            .header("Import-Package", IMPORTS + ",org.osgi.framework")
            .header("Bundle-Activator", ExitingActivator.class.getName())
            .build(folder.resolve("exits.jar"));
    assertThat(run(1, "install", exits.toString())).contains("does not answer");
    cluster.process().await(PATIENCE);
    assertThat(files(distribution.modules())).isEqualTo(files);

    Path keys = folder.resolve("keys.p12");
    Path certificate = folder.resolve("me.pem");
    tool(
        ("keytool -genkeypair -alias me -keyalg EC -dname CN=Me -storepass changeit -keystore "
                + keys)
            .split(" "));
    tool(
        ("keytool -exportcert -rfc -alias me -storepass changeit -keystore %s -file %s"
                .formatted(keys, certificate))
            .split(" "));
    cluster.also("--require_signed_modules", "--module_trust_store=" + certificate);
    cluster.start();
    Await.until(
        "what nobody has signed does not run any more",
        PATIENCE,
        () ->
            deployments().path("deployments").toString().contains("it is not signed")
                && serving().isEmpty());
    assertThat(deployments().path("verdicts").toString())
        .contains(ExitingActivator.class.getName() + " called System.exit");
    assertThat(files(distribution.modules())).isEqualTo(files);

    Path jar = built(hook("5.0.0"));
    assertThat(run(1, "install", jar.toString())).contains("FAILED: it is not signed");
    assertThat(run(1, "verify", jar.toString())).contains("problem    it is not signed");
    tool("jarsigner", "-storepass", "changeit", "-keystore", keys.toString(), jar.toString(), "me");
    assertThat(run(0, "install", jar.toString())).contains("5.0.0: installed and started");
    awaitServing("5.0.0");
  }
}
