package org.mezzo.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
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
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A change that a daemon is asked for: by query parameters, with a jar or without, or by a form. A
 * jar is sent once the daemon says that it takes it, with its digest.
 */
final class ChangeRequest {
  private static final int OK = 200;
  private static final int CLIENT_ERROR = 400;
  private static final int TOO_LARGE = 413;
  private static final int CONNECT_MILLIS = 5_000;
  private static final int MOST_REASON = 2_000;

  /** A change may wait for others, and for guests that hang. */
  private static final int READ_MILLIS = 180_000;

  private final String url;
  private final String query;
  private final Optional<Path> jar;
  private final Optional<String> form;
  private final Optional<String> authorization;

  private ChangeRequest(
      String url,
      String query,
      Optional<Path> jar,
      Optional<String> form,
      Optional<String> authorization) {
    this.url = url;
    this.query = query;
    this.jar = jar;
    this.form = form;
    this.authorization = authorization;
  }

  /**
   * To be sent once.
   *
   * @param url without a query
   * @param authorization the header of who asks; empty for nobody
   */
  static ChangeRequest of(
      String url, Map<String, String> query, Optional<Path> jar, Optional<String> authorization)
      throws IOException {
    Map<String, String> all = new LinkedHashMap<>(query);
    if (jar.isPresent()) {
      all.put("sha256", digest(jar.get()));
    }
    return new ChangeRequest(
        url, all.isEmpty() ? "" : "?" + encoded(all), jar, Optional.empty(), authorization);
  }

  /** The same by a form. */
  static ChangeRequest ofForm(
      String url, Map<String, String> form, Optional<String> authorization) {
    return new ChangeRequest(url, "", Optional.empty(), Optional.of(encoded(form)), authorization);
  }

  /**
   * Sends it.
   *
   * @param answers statuses besides 200 whose bodies are answers and no refusals
   * @return the object that is answered
   * @throws IOException with a message for whoever asked, when the daemon refuses or is not there
   */
  Map<String, Object> send(Set<Integer> answers) throws IOException {
    return send(answers, this::read);
  }

  /** The same where nothing but success is expected, whatever is answered with it. */
  void send() throws IOException {
    send(Set.of(), body -> Map.of());
  }

  private interface Reading {
    Map<String, Object> of(InputStream body) throws IOException;
  }

  private Map<String, Object> send(Set<Integer> answers, Reading reading) throws IOException {
    HttpURLConnection connection = open();
    try {
      if (jar.isPresent() && !upload(connection, jar.get())) {
        if (connection.getResponseCode() == TOO_LARGE) {
          throw new IOException(
              url
                  + " answered with status 413: "
                  + Files.size(jar.get())
                  + " bytes are more than is taken there; --max_module_size of the daemon, or for"
                  + " the whole cluster /help/mezzo/rollouts of the master, says how many");
        }
        // What was answered instead of a go-ahead is lost; without a jar it is answered again.
        connection.disconnect();
        connection = open();
      }
      if (form.isPresent()) {
        connection.setDoOutput(true);
        connection.setRequestProperty("Content-Type", "application/x-www-form-urlencoded");
        try (OutputStream out = connection.getOutputStream()) {
          out.write(form.get().getBytes(StandardCharsets.UTF_8));
        }
      }
      return answer(connection, answers, reading);
    } catch (SocketException | SocketTimeoutException e) {
      throw new IOException(url + " does not answer: " + reason(e), e);
    } finally {
      connection.disconnect();
    }
  }

  private HttpURLConnection open() throws IOException {
    HttpURLConnection connection =
        (HttpURLConnection) URI.create(url + query).toURL().openConnection();
    connection.setConnectTimeout(CONNECT_MILLIS);
    connection.setReadTimeout(READ_MILLIS);
    connection.setInstanceFollowRedirects(false);
    connection.setRequestMethod("POST");
    authorization.ifPresent(text -> connection.setRequestProperty("Authorization", text));
    return connection;
  }

  /** Whether it was sent. */
  private static boolean upload(HttpURLConnection connection, Path jar) throws IOException {
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

  private Map<String, Object> answer(
      HttpURLConnection connection, Set<Integer> answers, Reading reading) throws IOException {
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
      if (status == OK || answers.contains(status)) {
        return reading.of(body);
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

  private Map<String, Object> read(InputStream answer) throws IOException {
    try (JsonParser parser = new JsonFactory().createParser(answer)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new IOException(url + " did not answer with a JSON object");
      }
      return HttpJson.object(parser);
    }
  }

  private static String reason(IOException e) {
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }

  /** Fields as they stand in a query or a form. */
  static String encoded(Map<String, String> fields) {
    return fields.entrySet().stream()
        .map(field -> encoded(field.getKey()) + "=" + encoded(field.getValue()))
        .collect(Collectors.joining("&"));
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
