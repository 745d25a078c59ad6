package org.mezzo.http;

import java.net.InetSocketAddress;
import java.nio.channels.SeekableByteChannel;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/** One request and its answer. Exactly one of respond and stream is called. */
@ProviderType
public interface HttpExchange {

  String method();

  /** The decoded path of an origin-form or absolute-form target, without query. */
  String path();

  /** Path and query as received, for redirects. */
  String pathAndQuery();

  /** Decoded query parameters; the first value of each name. */
  Map<String, String> query();

  /** All header fields by lower case name. */
  Map<String, List<String>> headers();

  /** The first value of a header, looked up without regard to case. */
  Optional<String> header(String name);

  InetSocketAddress remote();

  InetSocketAddress local();

  /** The client's certificate on a TLS connection that has one. */
  Optional<X509Certificate> clientCertificate();

  /**
   * The whole body.
   *
   * @param limit in bytes; a longer body completes exceptionally with {@link BodyTooLargeException}
   * @return completes on a connector thread
   */
  CompletionStage<byte[]> body(int limit);

  /** Receives the body piece by piece as it arrives; instead of {@link #body}. */
  void receive(BodyListener listener);

  /** Whether the client takes answers that are compressed with gzip. */
  boolean compresses();

  /**
   * Sends a whole answer; compressed with gzip when the client allows and it is worth it, which
   * {@code Vary} then says. What many get is compressed once by {@link HttpResponse#compressed}.
   */
  void respond(HttpResponse response);

  /**
   * Sends what an open file holds from its beginning on, with status 200, never compressed and
   * without holding it in memory.
   *
   * @param content closed when it is sent, or at once when something was answered already
   * @param size how many bytes of it are sent
   */
  void respondContent(Map<String, String> headers, SeekableByteChannel content, long size);

  /**
   * Starts a streamed answer, which is never compressed (rule 16).
   *
   * @param bound of what may wait for the client; when a record would pass it the stream is cut
   *     with a {@link SlowClientException}
   */
  ResponseStream stream(int status, Map<String, String> headers, StreamBound bound);

  /** As above, with {@link StreamBound#of}. */
  default ResponseStream stream(int status, Map<String, String> headers, long maxQueuedBytes) {
    return stream(status, headers, StreamBound.of(maxQueuedBytes));
  }
}
