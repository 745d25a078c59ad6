package org.mezzo.fetcher.uri;

import java.io.IOException;
import java.net.URI;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.api.fetcher.Uris;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Fetches files of this machine ({@code file}) and of web servers ({@code http}, {@code https};
 * rule 322). What arrives is written beside the target and renamed when it is complete, so a target
 * is whole or absent. Messages name the URI without user, password and query, which may be secrets.
 */
@Component(service = Fetcher.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Fetcher.KIND,
    name = "uri",
    version = "0.1.0",
    author = "Mezzo",
    description = "fetches file, http and https URIs")
public final class UriFetcher implements Fetcher {
  private static final long COPY_BYTES = 8L << 20;
  private static final Duration SIZE_LIMIT = Duration.ofSeconds(10);

  private WebClient web;

  @Override
  public void open(DaemonContext context) {
    web = new WebClient(context.daemon());
  }

  @Override
  public Set<String> schemes() {
    return Set.of("file", "http", "https");
  }

  /** Writes what arrives. */
  @FunctionalInterface
  private interface Source {
    void writeTo(FileChannel out) throws IOException, InterruptedException;
  }

  @Override
  public void fetch(Request request) throws IOException, InterruptedException {
    URI uri = request.uri();
    if (isFile(uri)) {
      Path source = source(uri);
      complete(request.target(), out -> copy(source, out));
    } else {
      complete(
          request.target(), out -> web.get(uri, out, request.stallTimeout(), request.progress()));
    }
    request
        .progress()
        .accept("Fetched " + shown(uri) + ": " + Files.size(request.target()) + " bytes");
  }

  @Override
  public Optional<Long> size(URI uri) throws IOException, InterruptedException {
    return isFile(uri) ? Optional.of(Files.size(source(uri))) : web.size(uri, SIZE_LIMIT);
  }

  private static boolean isFile(URI uri) {
    return uri.getScheme() == null || uri.getScheme().toLowerCase(Locale.ROOT).equals("file");
  }

  private static Path source(URI uri) throws IOException {
    String host = uri.getHost();
    String path = uri.getPath();
    if (host != null && !host.equalsIgnoreCase("localhost")) {
      throw new IOException(
          shown(uri) + " names a file of '" + host + "'; only files of this machine can be copied");
    }
    if (path == null || !path.startsWith("/")) {
      throw new IOException(shown(uri) + " must have an absolute path");
    }
    Path source = Path.of(path);
    if (!Files.exists(source)) {
      throw new IOException(
          "There is no file '" + source + "' on this agent's machine; put it there, or use http");
    }
    if (!Files.isRegularFile(source)) {
      throw new IOException("'" + source + "' is not a file; name a file, for example an archive");
    }
    if (!Files.isReadable(source)) {
      throw new IOException("The agent's account may not read '" + source + "'");
    }
    return source;
  }

  private static void copy(Path source, FileChannel out) throws IOException {
    try (FileChannel in = FileChannel.open(source, StandardOpenOption.READ)) {
      long position = 0;
      long copied;
      // Not until a size known before: the file may be growing or shrinking.
      while ((copied = in.transferTo(position, COPY_BYTES, out)) > 0) {
        position += copied;
      }
    }
  }

  private static void complete(Path target, Source source)
      throws IOException, InterruptedException {
    Path part =
        target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + ".part");
    try {
      try (FileChannel out =
          FileChannel.open(part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        source.writeTo(out);
      } catch (ClosedByInterruptException e) {
        Thread.interrupted();
        throw interrupted(e);
      }
      Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  private static InterruptedException interrupted(Throwable cause) {
    InterruptedException interrupted = new InterruptedException("The fetch was cancelled");
    interrupted.initCause(cause);
    return interrupted;
  }

  /** The URI as it may be shown, in quotes. */
  static String shown(URI uri) {
    return "'" + Uris.shown(uri) + "'";
  }

  @Override
  public void close() {
    if (web != null) {
      web.close();
    }
  }
}
