package org.mezzo.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.protocol.v1.Credential;

/**
 * Asks daemons on behalf of somebody. Their small JSON answers are maps, lists, texts, numbers and
 * booleans.
 */
final class HttpJson {
  static final int UNAUTHORIZED = 401;

  /** What to do about a 401, behind what was answered. */
  static final String REMEDY =
      "; --credential=FILE names a principal and a secret that are known there";

  private static final int CONNECT_MILLIS = 5_000;
  private static final int READ_MILLIS = 30_000;
  private static final int MOST_REASON_BYTES = 2_000;

  private final Optional<String> authorization;

  /**
   * Asks as somebody.
   *
   * @param credential whose principal asks; empty for nobody's
   */
  HttpJson(Optional<Credential> credential) {
    authorization = credential.map(HttpJson::authorization);
  }

  /** The header Authorization of somebody. */
  static String authorization(Credential credential) {
    String both = credential.getPrincipal() + ":" + credential.getSecret();
    return "Basic " + Base64.getEncoder().encodeToString(both.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Where the leader is, as a master knows it.
   *
   * @param address {@code host:port} of any master
   */
  String leader(String address) throws IOException {
    HttpURLConnection connection = open("http://" + address + "/redirect");
    int status = connection.getResponseCode();
    String location = connection.getHeaderField("Location");
    connection.disconnect();
    if (status != 307 || location == null || !location.startsWith("//")) {
      throw new IOException(
          "no master leads now: " + address + " answered /redirect with status " + status);
    }
    return location.substring(2);
  }

  /** The object that an address answers with. */
  Map<String, Object> get(String url) throws IOException {
    HttpURLConnection connection = open(url);
    int status = connection.getResponseCode();
    if (status != 200) {
      String reason = reason(connection);
      connection.disconnect();
      throw new IOException(url + " answered with status " + status + reason);
    }
    return body(connection, url);
  }

  /**
   * The same of a URL without a query.
   *
   * @param query encoded here
   */
  Map<String, Object> get(String url, Map<String, String> query) throws IOException {
    return get(url + "?" + ChangeRequest.encoded(query));
  }

  /** Posts a form, of which nothing but success is expected. */
  void postForm(String url, Map<String, String> form) throws IOException {
    ChangeRequest.ofForm(url, form, authorization).send();
  }

  /** Asks for a change that needs no jar; the object that is answered. */
  Map<String, Object> post(String url, Map<String, String> query) throws IOException {
    return post(url, query, Optional.empty(), Set.of());
  }

  /**
   * Asks for a change.
   *
   * @param url without a query
   * @param jar what is sent; empty for nothing
   * @param answers statuses besides 200 whose bodies are answers and no refusals
   * @return the object that is answered
   */
  Map<String, Object> post(
      String url, Map<String, String> query, Optional<Path> jar, Set<Integer> answers)
      throws IOException {
    return ChangeRequest.of(url, query, jar, authorization).send(answers);
  }

  /**
   * The same of a form, whose fields are in no log.
   *
   * @param answers as of {@link #post(String, Map, Optional, Set)}
   */
  Map<String, Object> postForm(String url, Map<String, String> form, Set<Integer> answers)
      throws IOException {
    return ChangeRequest.ofForm(url, form, authorization).send(answers);
  }

  private static Map<String, Object> body(HttpURLConnection connection, String url)
      throws IOException {
    try (InputStream body = connection.getInputStream();
        JsonParser parser = new JsonFactory().createParser(body)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new IOException(url + " did not answer with a JSON object");
      }
      return object(parser);
    }
  }

  /** What a refusal says, behind a colon; empty when it says nothing. */
  private static String reason(HttpURLConnection connection) throws IOException {
    String remedy = connection.getResponseCode() == UNAUTHORIZED ? REMEDY : "";
    try (InputStream body = connection.getErrorStream()) {
      String text =
          body == null
              ? ""
              : new String(body.readNBytes(MOST_REASON_BYTES), StandardCharsets.UTF_8).strip();
      return (text.isEmpty() ? "" : ": " + text) + remedy;
    }
  }

  /** The objects in a list that an object has under a name; none when it has no such list. */
  static List<Map<String, Object>> objects(Map<String, Object> object, String name) {
    List<Map<String, Object>> objects = new ArrayList<>();
    if (object.get(name) instanceof List<?> list) {
      for (Object each : list) {
        objects.add(asObject(each));
      }
    }
    return objects;
  }

  @SuppressWarnings("unchecked")
  static Map<String, Object> asObject(Object value) {
    return value instanceof Map ? (Map<String, Object>) value : Map.of();
  }

  /** Reads an object whose first token was read. */
  static Map<String, Object> object(JsonParser parser) throws IOException {
    Map<String, Object> object = new LinkedHashMap<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      parser.nextToken();
      object.put(name, value(parser));
    }
    return object;
  }

  private static Object value(JsonParser parser) throws IOException {
    switch (parser.currentToken()) {
      case START_OBJECT:
        return object(parser);
      case START_ARRAY:
        List<Object> list = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          list.add(value(parser));
        }
        return list;
      case VALUE_NUMBER_INT:
      case VALUE_NUMBER_FLOAT:
        return parser.getNumberValue();
      case VALUE_TRUE:
      case VALUE_FALSE:
        return parser.getBooleanValue();
      case VALUE_NULL:
        return null;
      default:
        return parser.getText();
    }
  }

  private HttpURLConnection open(String url) throws IOException {
    HttpURLConnection connection = (HttpURLConnection) URI.create(url).toURL().openConnection();
    connection.setConnectTimeout(CONNECT_MILLIS);
    connection.setReadTimeout(READ_MILLIS);
    connection.setInstanceFollowRedirects(false);
    authorization.ifPresent(text -> connection.setRequestProperty("Authorization", text));
    return connection;
  }
}
