package org.mezzo.fetcher.hadoop;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.api.fetcher.Programs;
import org.mezzo.api.fetcher.Uris;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Has an installed {@code hadoop} client fetch {@code hdfs}, and whatever no other fetcher serves,
 * since what that client knows depends on how it is set up. The client is the one of {@code
 * --hadoop_home}, of {@code HADOOP_HOME} in the agent's environment, or the first in its {@code
 * PATH}; it gets that environment.
 */
@Component(service = Fetcher.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Fetcher.KIND,
    name = "hadoop",
    version = "0.2.0",
    author = "Mezzo",
    description = "fetches hdfs URIs, and what no other fetcher serves, by a hadoop client",
    flags = {"hadoop_home"})
public final class HadoopFetcher implements Fetcher {
  private static final Duration DESCRIPTION_LIMIT = Duration.ofSeconds(30);

  private Optional<Path> home = Optional.empty();

  @Override
  public void open(DaemonContext context) {
    home = Optional.ofNullable(context.flags().get("hadoop_home")).map(Path::of);
  }

  @Override
  public Set<String> schemes() {
    return Set.of("hdfs", ANY_OTHER);
  }

  @Override
  public void fetch(Request request) throws IOException, InterruptedException {
    URI uri = request.uri();
    Path client = client(uri);
    request.progress().accept("Downloading by '" + client + " fs -copyToLocal'");
    ClientRun run =
        ClientRun.of(
            request.programs(),
            List.of(
                client.toString(), "fs", "-copyToLocal", text(uri), request.target().toString()),
            request.target().getParent(),
            request.stallTimeout());
    check(uri, run);
    if (Files.isDirectory(request.target())) {
      throw new IOException(shown(uri) + " is a folder; name a file, for example an archive");
    }
  }

  @Override
  public Description describe(URI uri) throws IOException, InterruptedException {
    ClientRun run =
        ClientRun.of(
            Programs.UNBOUND,
            List.of(client(uri).toString(), "fs", "-stat", "%b %Y", text(uri)),
            null,
            DESCRIPTION_LIMIT);
    check(uri, run);
    // The last line: a client may have warned before.
    String[] lines = run.output().strip().split("\n");
    String[] words = lines[lines.length - 1].strip().split(" ");
    try {
      return new Description(
          Optional.of(Long.parseLong(words[0])),
          words.length > 1 ? Optional.of(words[1]) : Optional.empty());
    } catch (NumberFormatException e) {
      return Description.UNKNOWN;
    }
  }

  private static void check(URI uri, ClientRun run) throws IOException {
    if (run.status() != 0) {
      throw new IOException(
          "The hadoop client failed with status "
              + run.status()
              + " for "
              + shown(uri)
              + ": "
              + run.errors().strip().replace(text(uri), Uris.shown(uri)));
    }
  }

  private Path client(URI uri) throws IOException {
    Optional<Path> given =
        home.or(
            () ->
                Optional.ofNullable(System.getenv("HADOOP_HOME"))
                    .filter(text -> !text.isBlank())
                    .map(Path::of));
    if (given.isPresent()) {
      Path client = given.get().resolve("bin/hadoop");
      if (!Files.isExecutable(client)) {
        throw missing(uri, "'" + client + "' is no program; look at --hadoop_home or HADOOP_HOME");
      }
      return client;
    }
    for (String folder : Optional.ofNullable(System.getenv("PATH")).orElse("").split(":")) {
      Path client = Path.of(folder).resolve("hadoop");
      if (folder.startsWith("/") && Files.isExecutable(client) && !Files.isDirectory(client)) {
        return client;
      }
    }
    throw missing(
        uri, "none is there; give --hadoop_home, set HADOOP_HOME, or have 'hadoop' in PATH");
  }

  private static IOException missing(URI uri, String why) {
    return new IOException(
        "'"
            + uri.getScheme()
            + "' is served by no fetcher module of its own, and a hadoop client is needed: "
            + why);
  }

  /** As the client takes it, which encodes nothing. */
  private static String text(URI uri) {
    String authority = uri.getRawAuthority() == null ? "" : uri.getRawAuthority();
    String query = uri.getQuery() == null ? "" : "?" + uri.getQuery();
    return uri.getScheme() + "://" + authority + uri.getPath() + query;
  }

  private static String shown(URI uri) {
    return "'" + Uris.shown(uri) + "'";
  }
}
