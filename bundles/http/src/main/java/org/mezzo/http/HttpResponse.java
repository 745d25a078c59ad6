package org.mezzo.http;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/**
 * A whole answer.
 *
 * @param headers written as they are; Content-Length and Date are added
 */
public record HttpResponse(int status, Map<String, String> headers, byte[] body) {
  private static final int MIN_COMPRESSED_BYTES = 1024;

  /** Bodies of more bytes than this are compressed quickly rather than well. */
  private static final int LARGE = 16 << 20;

  /** An answer without body. */
  public static HttpResponse status(int status) {
    return new HttpResponse(status, Map.of(), new byte[0]);
  }

  /** A plain text answer, the form of every error. */
  public static HttpResponse text(int status, String text) {
    return new HttpResponse(
        status,
        Map.of("Content-Type", "text/plain; charset=utf-8"),
        text.getBytes(StandardCharsets.UTF_8));
  }

  /** A JSON answer. */
  public static HttpResponse json(byte[] json) {
    return new HttpResponse(200, Map.of("Content-Type", "application/json"), json);
  }

  /**
   * Whether it is worth compressing, and not encoded already (rule 16): what is sent then depends
   * on what the client takes.
   */
  public boolean compressible() {
    return body.length >= MIN_COMPRESSED_BYTES
        && headers.keySet().stream().noneMatch("Content-Encoding"::equalsIgnoreCase);
  }

  /**
   * The same compressed with gzip, as clients for which {@link HttpExchange#compresses} are sent
   * it; itself when it is not {@link #compressible}.
   */
  public HttpResponse compressed() {
    if (!compressible()) {
      return this;
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream(body.length / 4);
    try (GZIPOutputStream gzip = body.length > LARGE ? new Quick(out) : new GZIPOutputStream(out)) {
      gzip.write(body);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    HttpResponse encoded = with("Content-Encoding", "gzip");
    return new HttpResponse(status, encoded.headers, out.toByteArray());
  }

  /** Compresses less and in a third of the time: what is large somebody waits for. */
  private static final class Quick extends GZIPOutputStream {
    private static final int BUFFER_BYTES = 1 << 16;

    Quick(ByteArrayOutputStream out) throws IOException {
      super(out, BUFFER_BYTES);
      def.setLevel(Deflater.BEST_SPEED);
    }
  }

  /** The same with one header more. */
  public HttpResponse with(String name, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(name, value);
    return new HttpResponse(status, more, body);
  }
}
