package org.mezzo.benchmarks.loop;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/**
 * Asks for the same again and again on one connection of HTTP/1.1, and costs next to nothing
 * itself: of an answer it reads the head, and takes the body from the socket.
 */
final class PollingClient implements AutoCloseable {
  private static final int BUFFER_BYTES = 1 << 16;

  private final Socket socket;
  private final InputStream in;
  private final String more;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private String tag = "";

  PollingClient(int port, boolean compressed) throws IOException {
    socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setTcpNoDelay(true);
    in = new BufferedInputStream(socket.getInputStream(), BUFFER_BYTES);
    more = compressed ? "Accept-Encoding: gzip\r\n" : "";
  }

  /** Asks, and lets the body go; how long that was, in bytes. */
  int poll(String path) throws IOException {
    return read(ask(path, "", 200));
  }

  /** Makes a call of the operator API in JSON, and lets the body go; how long that was. */
  int call(String type, String accept) throws IOException {
    String body = "{\"type\":\"" + type + "\"}";
    return read(
        ask(
            "POST /api/v1",
            "Content-Type: application/json\r\nAccept: "
                + accept
                + "\r\nContent-Length: "
                + body.length()
                + "\r\n",
            body,
            200));
  }

  private int read(int length) throws IOException {
    for (int left = length; left > 0; ) {
      int read = in.read(buffer, 0, Math.min(left, buffer.length));
      if (read < 0) {
        throw new IOException("The connection ended within a body");
      }
      left -= read;
    }
    return length;
  }

  /** Asks with the tag of the answer before, which has to be good still, but the first time. */
  void pollAgain(String path) throws IOException {
    if (tag.isEmpty()) {
      poll(path);
    } else {
      ask(path, "If-None-Match: " + tag + "\r\n", 304);
    }
  }

  /** Asks for the body. */
  byte[] body(String path) throws IOException {
    return in.readNBytes(ask(path, "", 200));
  }

  /** Asks, reads the head of the answer and says how long its body is. */
  private int ask(String path, String headers, int expected) throws IOException {
    return ask("GET " + path, headers, "", expected);
  }

  private int ask(String what, String headers, String body, int expected) throws IOException {
    String request = what + " HTTP/1.1\r\nHost: localhost\r\n" + more + headers + "\r\n" + body;
    socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
    String status = line();
    if (!status.contains(" " + expected)) {
      throw new IOException(what + " was answered with " + status);
    }
    int length = 0;
    for (String header = line(); !header.isEmpty(); header = line()) {
      int colon = header.indexOf(':');
      String value = header.substring(colon + 1).strip();
      switch (header.substring(0, colon).toLowerCase(java.util.Locale.ROOT)) {
        case "content-length" -> length = Integer.parseInt(value);
        case "etag" -> tag = value;
        default -> {}
      }
    }
    return length;
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        throw new IOException("The connection ended within a head");
      }
      if (next != '\r') {
        line.append((char) next);
      }
    }
    return line.toString();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
