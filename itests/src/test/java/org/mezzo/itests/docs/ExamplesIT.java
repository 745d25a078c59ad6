package org.mezzo.itests.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpServer;
import com.unboundid.ldap.listener.InMemoryDirectoryServer;
import com.unboundid.ldap.listener.InMemoryDirectoryServerConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.cluster.Distribution;
import org.mezzo.itests.cluster.Http;
import org.mezzo.itests.cluster.TestFramework;
import org.mezzo.itests.docs.Terminal.Session;

/**
 * All of examples/, each copied elsewhere, built and put into a running cluster by the commands
 * with which docs/modules.md does so for the smallest one, and each seen to do its work.
 */
class ExamplesIT {
  private static final Duration SOON = Duration.ofMinutes(3);
  private static final Duration BUILD = Duration.ofMinutes(10);
  private static final String SMALLEST = "hook-origin";
  private static final String MODULES =
      """
      {"libraries": [{"modules": [
        {"name": "priority", "parameters": [{"key": "priority.prod", "value": "10"}]},
        {"name": "nice", "parameters": [{"key": "nice", "value": "5"}]},
        {"name": "s3", "parameters": [{"key": "endpoint", "value": "http://127.0.0.1:%d"}]},
        {"name": "ldap", "parameters": [
          {"key": "url", "value": "ldap://127.0.0.1:%d"},
          {"key": "base", "value": "dc=example,dc=org"}]}]}]}
      """;

  @TempDir Path folder;

  @Test
  void eachIsBuiltDeployedAndDoesItsWork() throws Exception {
    Distribution mezzo = Distribution.built().copyTo(folder.resolve("opt").resolve("mezzo"));
    Page page = Page.of("docs/modules.md");
    page.next("sh", "/opt/mezzo/bin/mezzo module new");
    page.next("sh", "cd hook-origin");
    page.next("java", "package com.example;");
    String build = page.next("sh", "mvn package");
    String local = page.next("sh", "/opt/mezzo/bin/mezzo local");
    String deploy = page.next("sh", "cp target/");
    String list = page.next("sh", "/opt/mezzo/bin/mezzo module list");
    int port = Distribution.freePort();
    URI master = URI.create("http://127.0.0.1:" + port);
    HttpServer bucket = bucket();
    InMemoryDirectoryServer directory = directory();
    Path desk = Files.createDirectory(folder.resolve("desk"));
    try (Terminal terminal = new Terminal(desk, Files.createDirectory(folder.resolve("home")))) {
      Path modules =
          Files.writeString(
              folder.resolve("modules.json"),
              MODULES.formatted(bucket.getAddress().getPort(), directory.getListenPort()));
      try (Session cluster =
          terminal.open(
              literal(local, mezzo, port)
                  + (" --allocator=priority --isolation=nice --modules=file://" + modules)
                  + (" --port=" + port + " --work_dir=" + folder.resolve("work")))) {
        cluster.await(SOON, 0, "The cluster is up");
        for (Path example : examples()) {
          Path copy = desk.resolve(example.getFileName());
          copy(example, copy);
          terminal.succeed("cd '" + copy + "'", SOON);
          terminal.succeed(build + " -Dmezzo.home=" + mezzo.home(), BUILD);
          terminal.succeed(
              literal(deploy, mezzo, port).replace(SMALLEST, example.getFileName().toString()),
              SOON);
        }
        for (String used : List.of("priority", "nice", "origin")) {
          awaitRow(terminal, literal(list, mezzo, port), used, "leased");
        }
        for (String there : List.of("round-robin", "s3", "ldap")) {
          awaitRow(terminal, literal(list, mezzo, port), there, "");
        }
        offersLabelsNicesAndFetches(master);
      }
      guards(terminal, mezzo, modules, directory);
    } finally {
      bucket.stop(0);
      directory.shutDown(true);
    }
  }

  private static List<Path> examples() throws IOException {
    Path all = Path.of(System.getProperty("mezzo.repository"), "examples").toRealPath();
    try (Stream<Path> folders = Files.list(all)) {
      return folders.filter(each -> Files.exists(each.resolve("pom.xml"))).sorted().toList();
    }
  }

  /** Without what this build has made of it. */
  private static void copy(Path example, Path target) throws IOException {
    try (Stream<Path> files = Files.walk(example)) {
      for (Path file : files.toList()) {
        Path name = example.relativize(file);
        if (!name.startsWith("target")) {
          Files.copy(file, target.resolve(name.toString()));
        }
      }
    }
  }

  private static String literal(String command, Distribution mezzo, int port) {
    return command
        .replace("/opt/mezzo", mezzo.home().toString())
        .replace("127.0.0.1:5050", "127.0.0.1:" + port);
  }

  private static void awaitRow(Terminal terminal, String list, String name, String state) {
    Await.until(
        name + " is listed",
        SOON,
        () ->
            terminal
                .succeed(list, SOON)
                .lines()
                .anyMatch(row -> row.contains(" " + name + " ") && row.contains(state)));
  }

  private static HttpServer bucket() throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    byte[] object = "from the bucket\n".getBytes(StandardCharsets.UTF_8);
    server.createContext(
        "/bucket/key",
        exchange -> {
          exchange.sendResponseHeaders(200, object.length);
          exchange.getResponseBody().write(object);
          exchange.close();
        });
    server.start();
    return server;
  }

  private static InMemoryDirectoryServer directory() throws Exception {
    InMemoryDirectoryServer directory =
        new InMemoryDirectoryServer(new InMemoryDirectoryServerConfig("dc=example,dc=org"));
    directory.add("dn: dc=example,dc=org", "objectClass: domain", "dc: example");
    directory.add(
        "dn: uid=anna,dc=example,dc=org",
        "objectClass: inetOrgPerson",
        "uid: anna",
        "cn: Anna",
        "sn: A",
        "userPassword: s3cret");
    directory.startListening();
    return directory;
  }

  /**
   * A task that the allocator offers for, the hook labels, the isolator nices, S3 has a file of.
   */
  private void offersLabelsNicesAndFetches(URI master) throws Exception {
    Path said = folder.resolve("said");
    try (TestFramework low = subscribe(master, "batch")) {
      JsonNode offer = low.await("OFFERS", event -> true).path("offers").path("offers").path(0);
      ObjectNode command =
          Http.JSON
              .createObjectNode()
              .put("shell", true)
              .put("value", "(nice; cat key) > '" + said + "'");
      command.putArray("uris").addObject().put("value", "s3://bucket/key");
      low.launch(offer, List.of("one"), command);
      JsonNode end = low.awaitEnd("one");
      assertThat(end.path("state").asText()).as(end.toString()).isEqualTo("TASK_FINISHED");
      assertThat(said).hasContent("5\nfrom the bucket\n");
      List<String> labels = new ArrayList<>();
      String tasks = Http.get(master.resolve("/tasks")).text();
      for (JsonNode label : Http.JSON.readTree(tasks).path("tasks").path(0).path("labels")) {
        labels.add(label.path("key").asText());
      }
      assertThat(labels).as(tasks).containsExactly("origin");
      hints(master, low);
    }
  }

  /** Once the lower one is offered all, a higher one waits for it. */
  private static void hints(URI master, TestFramework low) throws IOException {
    low.await("OFFERS", event -> true);
    String metric = "modules/allocator/priority/preemptible/" + low.frameworkId() + "/cpus";
    URI metrics = master.resolve("/metrics/snapshot");
    assertThat(Http.get(metrics).json().has(metric)).isFalse();
    try (TestFramework high = subscribe(master, "prod")) {
      Await.until(
          "the higher one waits", SOON, () -> Http.get(metrics).json().path(metric).asDouble() > 0);
      URI why =
          master.resolve("/mezzo/offers/explain?role=prod&framework_id=" + high.frameworkId());
      assertThat(Http.get(why).text())
          .contains("nothing free, but under lower priorities")
          .contains("batch");
    }
  }

  private static TestFramework subscribe(URI master, String role) throws IOException {
    return TestFramework.subscribe(
        master,
        """
        {"user":"%s","name":"%s","roles":["%s"],"capabilities":[{"type":"MULTI_ROLE"}]}\
        """
            .formatted(System.getProperty("user.name"), role, role));
  }

  /** Who the directory knows is let in, and nobody while it is down. */
  private void guards(
      Terminal terminal, Distribution mezzo, Path modules, InMemoryDirectoryServer directory)
      throws Exception {
    int port = Distribution.freePort();
    URI flags = URI.create("http://127.0.0.1:" + port + "/flags");
    try (Session master =
        terminal.open(
            mezzo.command()
                + " master --authenticate_http_readonly --authenticate_http_readwrite"
                + (" --http_authenticators=ldap --modules=file://" + modules)
                + (" --port=" + port + " --work_dir=" + folder.resolve("guarded")))) {
      Await.until("anna is let in", SOON, () -> status(flags, "anna:s3cret") == 200);
      assertThat(status(flags, "anna:wrong")).isEqualTo(401);
      assertThat(status(flags, "anna:")).isEqualTo(401);
      assertThat(status(flags, "bert:s3cret")).isEqualTo(401);
      assertThat(Http.get(flags).status()).isEqualTo(401);

      directory.shutDown(true);
      assertThat(status(flags, "anna:s3cret")).isIn(401, 503);
      assertThat(master.output()).doesNotContain("s3cret");
    }
  }

  private static int status(URI uri, String pair) throws IOException {
    String encoded = Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
    return Http.get(uri, "Authorization", "Basic " + encoded).status();
  }
}
