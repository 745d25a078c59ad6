package org.mezzo.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.ProtocolException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import org.mezzo.flags.FlagException;
import org.mezzo.host.HostException;

/** Has daemons change or look at their modules, and tells what becomes of that. */
final class ModuleRequests {
  private static final String MODULES = "/mezzo/modules/";
  private static final int OK = 200;
  private static final int CLIENT_ERROR = 400;
  private static final int CONFLICT = 409;
  private static final int TOO_LARGE = 413;
  private static final int CONNECT_MILLIS = 5_000;
  private static final int MOST_REASON = 2_000;

  /** A change may wait for others, and for guests that hang. */
  private static final int READ_MILLIS = 180_000;

  private final DaemonTarget target;
  private final HttpJson http;
  private final Optional<String> authorization;

  ModuleRequests(DaemonTarget target) throws FlagException {
    this.target = target;
    http = new HttpJson(target.credential());
    authorization = target.credential().map(HttpJson::authorization);
  }

  /** What is done with what a daemon answers; says whether it is as was wanted. */
  @FunctionalInterface
  interface Told {
    boolean by(String daemon, Map<String, Object> answer);
  }

  /**
   * Asks each daemon, one after the other, also when one refuses.
   *
   * @param path below {@code /mezzo/modules/}
   * @return 0 when all are as was wanted
   * @throws HostException when a daemon does not answer, or serves no such thing
   */
  int ask(String path, Map<String, String> query, Optional<Path> jar, Told told)
      throws HostException, FlagException, InterruptedException {
    boolean wanted = true;
    try {
      for (Map.Entry<String, String> daemon : target.daemons(http).entrySet()) {
        wanted &= told.by(daemon.getKey(), post(daemon.getValue(), path, query, jar));
      }
    } catch (IOException e) {
      throw new HostException(e.getMessage() == null ? e.toString() : e.getMessage(), e);
    }
    return wanted ? 0 : Mezzo.FAILURE;
  }

  /** Has each daemon make a change, and prints what came of it. */
  int change(String path, Map<String, String> query, Optional<Path> jar)
      throws HostException, FlagException, InterruptedException {
    return ask(path, query, jar, ModuleRequests::print);
  }

  /** Has each daemon make a change that a form describes, and prints what came of it. */
  int changeBy(String path, Map<String, String> form)
      throws HostException, FlagException, InterruptedException {
    StringJoiner body = new StringJoiner("&");
    form.forEach((name, value) -> body.add(encoded(name) + "=" + encoded(value)));
    boolean wanted = true;
    try {
      for (Map.Entry<String, String> daemon : target.daemons(http).entrySet()) {
        String url = "http://" + daemon.getValue() + MODULES + path;
        HttpURLConnection connection = open(url);
        try {
          connection.setDoOutput(true);
          connection.setRequestProperty("Content-Type", "application/x-www-form-urlencoded");
          try (OutputStream out = connection.getOutputStream()) {
            out.write(body.toString().getBytes(StandardCharsets.UTF_8));
          }
          wanted &= print(daemon.getKey(), answer(url, connection));
        } catch (SocketException | SocketTimeoutException e) {
          throw new IOException(url + " does not answer: " + reason(e), e);
        } finally {
          connection.disconnect();
        }
      }
    } catch (IOException e) {
      throw new HostException(e.getMessage() == null ? e.toString() : e.getMessage(), e);
    }
    return wanted ? 0 : Mezzo.FAILURE;
  }

  private static boolean print(String daemon, Map<String, Object> answer) {
    Map<String, Object> action = HttpJson.asObject(answer.get("action"));
    boolean succeeded = Boolean.TRUE.equals(action.get("succeeded"));
    String from = String.valueOf(action.get("from"));
    String to = String.valueOf(action.get("to"));
    (succeeded ? System.out : System.err)
        .printf(
            "%s: %s %s%s%s%s (%s ms, gap %s ms)%n",
            daemon,
            action.get("action"),
            action.get("name"),
            from.isEmpty() && to.isEmpty()
                ? ""
                : " " + (from.isEmpty() || to.isEmpty() ? from + to : from + " -> " + to),
            succeeded ? ": " : " FAILED: ",
            action.get("outcome"),
            action.get("took_ms"),
            action.get("gap_ms"));
    return succeeded;
  }

  private Map<String, Object> post(
      String address, String path, Map<String, String> query, Optional<Path> jar)
      throws IOException, FlagException {
    StringJoiner parameters = new StringJoiner("&");
    query.forEach((name, value) -> parameters.add(name + "=" + encoded(value)));
    if (jar.isPresent()) {
      parameters.add("sha256=" + digest(jar.get()));
    }
    String url = "http://" + address + MODULES + path;
    HttpURLConnection connection = open(url + "?" + parameters);
    try {
      if (jar.isPresent() && !send(connection, jar.get())) {
        if (connection.getResponseCode() == TOO_LARGE) {
          throw new IOException(
              url
                  + " answered with status 413: "
                  + Files.size(jar.get())
                  + " bytes are more than that daemon takes; its --max_module_size says how many");
        }
        // What was answered instead of a go-ahead is lost; without a jar it is answered again.
        connection.disconnect();
        connection = open(url + "?" + parameters);
      }
      return answer(url, connection);
    } catch (SocketException | SocketTimeoutException e) {
      throw new IOException(url + " does not answer: " + reason(e), e);
    } finally {
      connection.disconnect();
    }
  }

  private HttpURLConnection open(String url) throws IOException {
    HttpURLConnection connection = (HttpURLConnection) URI.create(url).toURL().openConnection();
    connection.setConnectTimeout(CONNECT_MILLIS);
    connection.setReadTimeout(READ_MILLIS);
    connection.setRequestMethod("POST");
    authorization.ifPresent(text -> connection.setRequestProperty("Authorization", text));
    return connection;
  }

  /**
   * Sends a jar once the daemon says that it takes it.
   *
   * @return whether it was sent
   */
  private static boolean send(HttpURLConnection connection, Path jar) throws IOException {
    connection.setDoOutput(true);
    connection.setRequestProperty("Expect", "100-continue");
    connection.setRequestProperty("Content-Type", "application/java-archive");
    connection.setFixedLengthStreamingMode(Files.size(jar));
    try (OutputStream out = connection.getOutputStream()) {
      Files.copy(jar, out);
      return true;
    } catch (ProtocolException refused) {
      return false;
    }
  }

  private static Map<String, Object> answer(String url, HttpURLConnection connection)
      throws IOException {
    int status;
    try {
      status = connection.getResponseCode();
    } catch (SocketException | SocketTimeoutException e) {
      throw e;
    } catch (IOException e) {
      throw new IOException(url + " does not answer: " + reason(e), e);
    }
    try (InputStream body =
        status < CLIENT_ERROR ? connection.getInputStream() : connection.getErrorStream()) {
      if (status == OK || status == CONFLICT) {
        return read(body);
      }
      String text =
          body == null
              ? ""
              : new String(body.readNBytes(MOST_REASON), StandardCharsets.UTF_8).strip();
      throw new IOException(
          url
              + " answered with status "
              + status
              + (text.isEmpty() ? "" : ": " + text)
              + (status == HttpJson.UNAUTHORIZED ? HttpJson.REMEDY : ""));
    }
  }

  private static String reason(IOException e) {
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }

  private static Map<String, Object> read(InputStream answer) throws IOException {
    try (JsonParser parser = new JsonFactory().createParser(answer)) {
      parser.nextToken();
      return HttpJson.object(parser);
    }
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  private static String digest(Path file) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
        in.transferTo(OutputStream.nullOutputStream());
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }
}
