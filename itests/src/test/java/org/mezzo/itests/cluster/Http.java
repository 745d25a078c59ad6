package org.mezzo.itests.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** Requests as a careful client would send them. */
public final class Http {
  public static final ObjectMapper JSON = new ObjectMapper();
  public static final HttpClient CLIENT =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(30))
          .build();

  private Http() {}

  /** An answer. */
  public record Answer(int status, java.net.http.HttpHeaders headers, byte[] body) {
    public String text() {
      return new String(body, StandardCharsets.UTF_8);
    }

    public JsonNode json() throws IOException {
      if (status != 200) {
        throw new IOException(status + " " + text());
      }
      return JSON.readTree(body);
    }
  }

  public static Answer get(URI uri, String... headers) throws IOException {
    return send(with(HttpRequest.newBuilder(uri).GET(), headers));
  }

  public static Answer post(URI uri, String contentType, byte[] body, String... headers)
      throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri).POST(HttpRequest.BodyPublishers.ofByteArray(body));
    if (contentType != null) {
      request.header("Content-Type", contentType);
    }
    return send(with(request, headers));
  }

  public static Answer postJson(URI uri, String json, String... headers) throws IOException {
    return post(uri, "application/json", json.getBytes(StandardCharsets.UTF_8), headers);
  }

  public static Answer deleteJson(URI uri, String json, String... headers) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri)
            .method("DELETE", HttpRequest.BodyPublishers.ofString(json))
            .header("Content-Type", "application/json");
    return send(with(request, headers));
  }

  private static HttpRequest.Builder with(HttpRequest.Builder request, String... headers) {
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    return request;
  }

  private static Answer send(HttpRequest.Builder request) throws IOException {
    try {
      HttpResponse<byte[]> response =
          CLIENT.send(
              request.timeout(Duration.ofSeconds(60)).build(),
              HttpResponse.BodyHandlers.ofByteArray());
      return new Answer(response.statusCode(), response.headers(), response.body());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }
}
