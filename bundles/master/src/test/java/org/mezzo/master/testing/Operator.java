package org.mezzo.master.testing;

import com.google.protobuf.Message;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** What operators send to a master, in both forms. */
public final class Operator {
  private static final HttpClient CLIENT =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private final TestCluster cluster;

  public Operator(TestCluster cluster) {
    this.cluster = cluster;
  }

  /** The status and, behind a blank, the body. */
  public static String text(HttpResponse<byte[]> answer) {
    return (answer.statusCode() + " " + new String(answer.body(), StandardCharsets.UTF_8)).strip();
  }

  private HttpRequest.Builder to(String path) {
    return HttpRequest.newBuilder(
            URI.create("http://127.0.0.1:" + cluster.address().getPort() + path))
        .timeout(Duration.ofSeconds(60));
  }

  private static HttpResponse<byte[]> send(HttpRequest.Builder request) throws Exception {
    return CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
  }

  public String request(String method, String path, String body) throws Exception {
    return text(
        send(
            to(path)
                .method(
                    method,
                    body.isEmpty()
                        ? HttpRequest.BodyPublishers.noBody()
                        : HttpRequest.BodyPublishers.ofString(body))));
  }

  /** The answer to a POST of bytes. */
  public HttpResponse<byte[]> upload(String path, byte[] body) throws Exception {
    return send(to(path).POST(HttpRequest.BodyPublishers.ofByteArray(body)));
  }

  public String call(String json) throws Exception {
    return text(
        send(
            to("/api/v1")
                .header("Content-Type", "application/json")
                .header("Accept", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(json))));
  }

  public HttpResponse<byte[]> call(Message call) throws Exception {
    return send(
        to("/api/v1")
            .header("Content-Type", "application/x-protobuf")
            .header("Accept", "application/x-protobuf")
            .POST(HttpRequest.BodyPublishers.ofByteArray(call.toByteArray())));
  }
}
