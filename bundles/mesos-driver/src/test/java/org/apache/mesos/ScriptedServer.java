package org.apache.mesos;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ServerSocketFactory;

/**
 * A master or agent that does what a test says, byte by byte: it keeps what it is sent and answers
 * subscriptions one after the other as scripted.
 */
final class ScriptedServer implements Closeable {
  /** What it does with one subscription; other calls get 202. */
  interface Script {
    void answer(Subscription subscription) throws Exception;
  }

  /** A request. */
  record Request(String path, Map<String, String> headers, byte[] body) {}

  /** The connection of somebody who subscribes. */
  static final class Subscription {
    final Request request;
    private final OutputStream out;

    private Subscription(Request request, OutputStream out) {
      this.request = request;
      this.out = out;
    }

    void write(byte[] bytes) throws IOException {
      out.write(bytes);
      out.flush();
    }

    void status(int status, String headers, String body) throws IOException {
      write(
          ("HTTP/1.1 %d Said\r\n%sContent-Length: %d\r\n\r\n%s"
                  .formatted(status, headers, body.length(), body))
              .getBytes(StandardCharsets.UTF_8));
    }

    void open() throws IOException {
      write(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nMesos-Stream-Id: stream-1\r\n\r\n"
              .getBytes(StandardCharsets.US_ASCII));
    }

    void events(byte[]... events) throws IOException {
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      for (byte[] event : events) {
        all.writeBytes(record(event));
      }
      chunk(all.toByteArray());
    }

    void chunk(byte[] bytes) throws IOException {
      ByteArrayOutputStream chunk = new ByteArrayOutputStream();
      chunk.writeBytes(
          (Integer.toHexString(bytes.length) + "\r\n").getBytes(StandardCharsets.US_ASCII));
      chunk.writeBytes(bytes);
      chunk.writeBytes("\r\n".getBytes(StandardCharsets.US_ASCII));
      write(chunk.toByteArray());
    }
  }

  static byte[] record(byte[] event) {
    ByteArrayOutputStream record = new ByteArrayOutputStream();
    record.writeBytes((event.length + "\n").getBytes(StandardCharsets.US_ASCII));
    record.writeBytes(event);
    return record.toByteArray();
  }

  private final ServerSocket socket;
  private final int subscribe;
  private final int typeField;
  private final BlockingQueue<Script> scripts = new LinkedBlockingQueue<>();
  private final List<Socket> open = new CopyOnWriteArrayList<>();
  final BlockingQueue<Request> calls = new LinkedBlockingQueue<>();
  final BlockingQueue<Request> subscriptions = new LinkedBlockingQueue<>();
  volatile int statusOfCalls = 202;
  private volatile String reasonOfCalls = "";

  /** Connections of which no request came: who connected did not like what it saw. */
  final AtomicInteger left = new AtomicInteger();

  volatile boolean closed;

  private ScriptedServer(int typeField, ServerSocketFactory sockets) throws IOException {
    this.socket = sockets.createServerSocket(0, 50, InetAddress.getLoopbackAddress());
    this.subscribe = 1;
    this.typeField = typeField;
    daemon(this::accept);
  }

  static ScriptedServer master() throws IOException {
    return new ScriptedServer(2, ServerSocketFactory.getDefault());
  }

  static ScriptedServer agent() throws IOException {
    return new ScriptedServer(3, ServerSocketFactory.getDefault());
  }

  /** An agent with whatever secures its connections. */
  static ScriptedServer agent(ServerSocketFactory sockets) throws IOException {
    return new ScriptedServer(3, sockets);
  }

  private static void daemon(Runnable work) {
    Thread thread = new Thread(work, "scripted-server");
    thread.setDaemon(true);
    thread.start();
  }

  String address() {
    return "127.0.0.1:" + socket.getLocalPort();
  }

  /** What it does with the next subscription that has no script yet. */
  ScriptedServer then(Script script) {
    scripts.add(script);
    return this;
  }

  Request call() throws InterruptedException {
    Request call = calls.poll(30, TimeUnit.SECONDS);
    if (call == null) {
      throw new AssertionError("no call came");
    }
    return call;
  }

  private void accept() {
    try {
      while (!closed) {
        Socket accepted = socket.accept();
        open.add(accepted);
        daemon(() -> serve(accepted));
      }
    } catch (IOException e) {
      // Closed.
    }
  }

  private void serve(Socket accepted) {
    boolean asked = false;
    try (accepted) {
      InputStream in = new BufferedInputStream(accepted.getInputStream());
      while (!closed) {
        Request request = request(in);
        asked = true;
        if (new org.mezzo.driver.wire.MessageReader(request.body()).number(typeField, 0)
            == subscribe) {
          subscriptions.add(request);
          Script script = scripts.take();
          script.answer(new Subscription(request, accepted.getOutputStream()));
        } else {
          calls.add(request);
          new Subscription(request, accepted.getOutputStream())
              .status(statusOfCalls, "", reasonOfCalls);
        }
      }
    } catch (Exception e) {
      // The other side has gone, or the test has ended.
    } finally {
      if (!asked) {
        left.incrementAndGet();
      }
      open.remove(accepted);
    }
  }

  /** Takes no call any more, and says why. */
  void refuseCalls(int status, String reason) {
    reasonOfCalls = reason;
    statusOfCalls = status;
  }

  private static Request request(InputStream in) throws IOException {
    String first = line(in);
    Map<String, String> headers = new LinkedHashMap<>();
    for (String line = line(in); !line.isEmpty(); line = line(in)) {
      int colon = line.indexOf(':');
      headers.put(
          line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
    }
    byte[] body = in.readNBytes(Integer.parseInt(headers.getOrDefault("content-length", "0")));
    return new Request(first.split(" ")[1], headers, body);
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        throw new EOFException();
      }
      if (next != '\r') {
        line.append((char) next);
      }
    }
    return line.toString();
  }

  @Override
  public void close() throws IOException {
    closed = true;
    socket.close();
    for (Socket each : open) {
      each.close();
    }
  }
}
