package org.mezzo.files.jars;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.zip.ZipFile;

/**
 * A jar that somebody names by a path or by a URL of {@code file}, {@code http} or {@code https},
 * or sends. What is fetched or sent is in a folder of its own until this is closed, or the process
 * ends in order.
 */
public final class NamedJar implements AutoCloseable {
  private static final Pattern URL = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]*:.*");
  private static final Pattern SHA_256 = Pattern.compile("[0-9a-fA-F]{64}");
  private static final Pattern BUNDLE = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,250}");
  private static final int OK = 200;
  private static final int MOST_REDIRECTS = 5;
  private static final int CHUNK = 1 << 16;
  private static final long MEGABYTE = 1 << 20;

  /**
   * What is waited for and taken from servers.
   *
   * @param bytes of a jar
   * @param silence for a connection, and for each next byte
   * @param whole for all of a jar
   */
  public record Limits(long bytes, Duration silence, Duration whole) {
    /** For somebody who waits: 256 MB, half a minute, ten minutes. */
    public static final Limits USUAL =
        new Limits(256 * MEGABYTE, Duration.ofSeconds(30), Duration.ofMinutes(10));
  }

  private final Path file;
  private final Optional<Path> folder;

  private NamedJar(Path file, Optional<Path> folder) {
    this.file = file;
    this.folder = folder;
  }

  /** Whether this is a URL rather than a path. */
  public static boolean isUrl(String place) {
    return URL.matcher(place).matches();
  }

  /**
   * Finds a jar, or fetches it on the calling thread.
   *
   * @param sha256 what it has to have, in hexadecimal digits; empty for anything
   * @param progress told about once a second, in a line, what has come of one that takes longer
   * @throws IOException when it is not there, does not come whole, or is another one or none; with
   *     a message for whoever named it. Then nothing is left.
   */
  public static NamedJar open(
      String place, Optional<String> sha256, Limits limits, Consumer<String> progress)
      throws IOException {
    requireDigest(sha256);
    return checked(
        isUrl(place) ? named(place, limits, progress) : local(path(place)), place, sha256);
  }

  private static NamedJar checked(NamedJar jar, String place, Optional<String> sha256)
      throws IOException {
    try {
      if (sha256.isPresent()) {
        check(jar.file, place, sha256.get().toLowerCase(Locale.ROOT));
      }
      return jar;
    } catch (IOException | RuntimeException e) {
      jar.close();
      throw e;
    }
  }

  /**
   * Takes a jar that is sent, to the end of the stream, on the calling thread. It is called after
   * its bundle, whatever the sender calls it.
   *
   * @param sender in words, for whoever is told that it is none
   * @param sha256 as of {@link #open}
   * @param limits of which only the bytes matter
   * @throws IOException when it does not come whole, or is another one or none; then nothing is
   *     left
   */
  public static NamedJar received(
      InputStream sent, String sender, Optional<String> sha256, Limits limits) throws IOException {
    requireDigest(sha256);
    NamedJar jar =
        checked(
            kept(sender, "sent.jar", file -> receive(sent, sender, file, limits)), sender, sha256);
    try {
      Path file = jar.file.resolveSibling(nameOfBundle(jar.file).orElse("sent.jar"));
      Files.move(jar.file, file);
      file.toFile().deleteOnExit();
      return new NamedJar(file, jar.folder);
    } catch (IOException | RuntimeException e) {
      jar.close();
      throw e;
    }
  }

  private static void requireDigest(Optional<String> sha256) throws IOException {
    if (sha256.isPresent() && !SHA_256.matcher(sha256.get()).matches()) {
      throw new IOException(
          "'"
              + sha256.get()
              + "' is no SHA-256: that has 64 digits from 0 to f, as sha256sum says");
    }
  }

  private static void receive(InputStream sent, String sender, Path file, Limits limits)
      throws IOException {
    long received = 0;
    byte[] chunk = new byte[CHUNK];
    try (OutputStream out = Files.newOutputStream(file)) {
      for (int read = sent.read(chunk); read >= 0; read = sent.read(chunk)) {
        received += read;
        if (received > limits.bytes()) {
          throw tooLarge(sender, limits);
        }
        out.write(chunk, 0, read);
      }
    }
  }

  /** What a jar of that bundle is called in a folder of modules; empty for what is no bundle. */
  private static Optional<String> nameOfBundle(Path file) throws IOException {
    try (JarFile jar = new JarFile(file.toFile())) {
      if (jar.getManifest() == null) {
        return Optional.empty();
      }
      Attributes bundle = jar.getManifest().getMainAttributes();
      String name = String.valueOf(bundle.getValue("Bundle-SymbolicName")).split(";", 2)[0].strip();
      String version = String.valueOf(bundle.getValue("Bundle-Version")).strip();
      return Optional.of(name + "-" + version + ".jar")
          .filter(whole -> BUNDLE.matcher(whole).matches());
    }
  }

  private static Path path(String place) throws IOException {
    try {
      return Path.of(place);
    } catch (InvalidPathException e) {
      throw new IOException("'" + place.replace("\0", "\\0") + "' is no path: " + e.getReason(), e);
    }
  }

  private static NamedJar local(Path path) throws IOException {
    Path file = path.toAbsolutePath();
    if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
      throw new IOException(file + " is no file that can be read");
    }
    return new NamedJar(file, Optional.empty());
  }

  private static NamedJar named(String place, Limits limits, Consumer<String> progress)
      throws IOException {
    try {
      URI uri = new URI(place);
      switch (String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT)) {
        case "file":
          return local(Path.of(uri));
        case "http", "https":
          if (uri.getHost() != null && uri.getUserInfo() == null) {
            return fetched(uri, limits, progress);
          }
          throw new IOException(
              uri.getHost() == null
                  ? "'" + place + "' names no host"
                  : "A URL with a user or a password is not fetched, because what is asked for is"
                      + " written down; fetch it by other means, and name the file");
        default:
          throw new IOException(
              "'"
                  + place
                  + "' cannot be fetched: it begins with file:, http: or https:, or is a path");
      }
    } catch (URISyntaxException | FileSystemNotFoundException | IllegalArgumentException e) {
      throw new IOException("'" + place + "' is no URL: " + e.getMessage(), e);
    }
  }

  private static NamedJar fetched(URI uri, Limits limits, Consumer<String> progress)
      throws IOException {
    return kept(uri.toString(), name(uri), file -> fetch(uri, file, limits, progress));
  }

  private interface Filling {
    void fill(Path file) throws IOException;
  }

  /** A jar in a folder of its own. */
  private static NamedJar kept(String place, String name, Filling filling) throws IOException {
    Path folder = Files.createTempDirectory("mezzo-jar");
    Path file = folder.resolve(name);
    NamedJar jar = new NamedJar(file, Optional.of(folder));
    // A process that is interrupted deletes the last one first.
    folder.toFile().deleteOnExit();
    file.toFile().deleteOnExit();
    try {
      filling.fill(file);
      try {
        new ZipFile(file.toFile()).close();
      } catch (IOException e) {
        throw new IOException(
            place
                + " is no jar: "
                + Files.size(file)
                + " bytes came that are none, or not all of one ("
                + e.getMessage()
                + ")",
            e);
      }
      return jar;
    } catch (IOException | RuntimeException e) {
      jar.close();
      throw e;
    }
  }

  /** What the jar is called; daemons say whether it may. */
  private static String name(URI uri) {
    String path = uri.getPath();
    String last = path.substring(path.lastIndexOf('/') + 1);
    String name = last.isEmpty() ? "module" : last;
    return name.endsWith(".jar") ? name : name + ".jar";
  }

  private static void fetch(URI uri, Path file, Limits limits, Consumer<String> progress)
      throws IOException {
    long deadline = System.nanoTime() + limits.whole().toNanos();
    HttpURLConnection connection = connected(uri, limits);
    try {
      long announced = connection.getContentLengthLong();
      if (announced > limits.bytes()) {
        throw tooLarge(uri.toString(), limits);
      }
      long received = 0;
      long told = System.nanoTime();
      byte[] chunk = new byte[CHUNK];
      try (InputStream in = connection.getInputStream();
          OutputStream out = Files.newOutputStream(file)) {
        for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
          received += read;
          if (received > limits.bytes()) {
            throw tooLarge(uri.toString(), limits);
          }
          out.write(chunk, 0, read);
          long now = System.nanoTime();
          if (now - deadline > 0) {
            throw new IOException(
                "%s takes longer than %d s; %d bytes came"
                    .formatted(uri, limits.whole().toSeconds(), received));
          }
          if (now - told > Duration.ofSeconds(1).toNanos()) {
            told = now;
            progress.accept(
                "Fetching %s: %.1f%s MB"
                    .formatted(
                        uri,
                        (double) received / MEGABYTE,
                        announced < 0 ? "" : " of %.1f".formatted((double) announced / MEGABYTE)));
          }
        }
      }
      if (announced >= 0 && received < announced) {
        throw new IOException(
            "%s was cut off: %d of %d bytes came; try again".formatted(uri, received, announced));
      }
    } catch (SocketTimeoutException e) {
      throw silent(uri, limits, e);
    } finally {
      connection.disconnect();
    }
  }

  /**
   * What answers with the jar, behind redirections, none of which leaves an encrypted connection.
   */
  private static HttpURLConnection connected(URI uri, Limits limits) throws IOException {
    URI place = uri;
    for (int redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      HttpURLConnection connection = (HttpURLConnection) place.toURL().openConnection();
      connection.setConnectTimeout(Math.toIntExact(limits.silence().toMillis()));
      connection.setReadTimeout(Math.toIntExact(limits.silence().toMillis()));
      connection.setInstanceFollowRedirects(false);
      int status;
      try {
        status = connection.getResponseCode();
      } catch (SocketTimeoutException e) {
        throw silent(uri, limits, e);
      } catch (IOException e) {
        throw new IOException(
            place + " does not answer: " + (e.getMessage() == null ? e : e.getMessage()), e);
      }
      if (status == OK) {
        return connection;
      }
      String location = connection.getHeaderField("Location");
      connection.disconnect();
      if (status < 300 || status > 399 || location == null) {
        throw new IOException(place + " answered with status " + status + ", and no jar");
      }
      URI next = place.resolve(location);
      boolean sent =
          "https".equalsIgnoreCase(next.getScheme())
              || ("http".equalsIgnoreCase(next.getScheme())
                  && "http".equalsIgnoreCase(place.getScheme()));
      if (!sent) {
        throw new IOException(place + " leads to " + next + ", which is not followed");
      }
      place = next;
    }
    throw new IOException(uri + " leads from one place to another more than 5 times");
  }

  private static IOException silent(URI uri, Limits limits, IOException cause) {
    return new IOException(
        uri + " says nothing for " + limits.silence().toSeconds() + " s; try again", cause);
  }

  private static IOException tooLarge(String place, Limits limits) {
    return new IOException(
        place
            + " is larger than "
            + limits.bytes()
            + " bytes; fetch it by other means if it is a module, and name the file");
  }

  private static void check(Path file, String place, String wanted) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
        in.transferTo(OutputStream.nullOutputStream());
      }
      String found = HexFormat.of().formatHex(digest.digest());
      if (!found.equals(wanted)) {
        throw new IOException(place + " has the SHA-256 " + found + ", not " + wanted);
      }
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }

  /** Where it is, until this is closed. */
  public Path file() {
    return file;
  }

  /** Deletes what was fetched. */
  @Override
  public void close() {
    if (folder.isPresent()) {
      try {
        Files.deleteIfExists(file);
        Files.deleteIfExists(folder.get());
      } catch (IOException e) {
        // Then it is tried again when the process ends.
        file.toFile().deleteOnExit();
      }
    }
  }
}
