package org.mezzo.fetcher.ftp;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ServerSocketFactory;

/** As much of an FTP server as serves files. */
final class FtpServer implements AutoCloseable {
  final Map<String, byte[]> files = new ConcurrentHashMap<>();

  /** When files changed, where that is told otherwise than by default. */
  final Map<String, String> times = new ConcurrentHashMap<>();

  final List<String> commands = new CopyOnWriteArrayList<>();
  final CountDownLatch stalled = new CountDownLatch(1);

  /** Sends so much of a file and then nothing. */
  volatile int stallsAfter = Integer.MAX_VALUE;

  /** Ends the data so much too early. */
  volatile int missing;

  private final CountDownLatch closed = new CountDownLatch(1);
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final ServerSocketFactory sockets;
  private final ServerSocket listener;

  FtpServer(ServerSocketFactory sockets) throws IOException {
    this.sockets = sockets;
    listener = sockets.createServerSocket(0, 10, InetAddress.getByName("127.0.0.1"));
    threads.execute(
        () -> {
          try {
            while (true) {
              Socket client = listener.accept();
              threads.execute(() -> serve(client));
            }
          } catch (IOException e) {
            threads.shutdown();
          }
        });
  }

  String base() {
    return "127.0.0.1:" + listener.getLocalPort();
  }

  private void serve(Socket socket) {
    try (socket) {
      BufferedReader in =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
      reply(socket, "220 here");
      ServerSocket data = null;
      String line;
      while ((line = in.readLine()) != null) {
        commands.add(line);
        String[] words = line.split(" ", 2);
        byte[] file = words.length > 1 ? files.get(words[1]) : null;
        switch (words[0]) {
          case "USER" -> reply(socket, "331 password");
          case "PASS" -> reply(socket, words[1].equals("wrong") ? "530 no" : "230 in");
          case "TYPE", "PBSZ", "PROT" -> reply(socket, "200 ok");
          case "SIZE" -> reply(socket, file == null ? "550 none" : "213 " + file.length);
          case "MDTM" ->
              reply(
                  socket,
                  file == null
                      ? "550 none"
                      : "213 " + times.getOrDefault(words[1], "20200102030405"));
          case "EPSV", "PASV" -> {
            data = sockets.createServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
            int port = data.getLocalPort();
            reply(
                socket,
                words[0].equals("EPSV")
                    ? "229 (|||" + port + "|)"
                    : "227 (127,0,0,1," + port / 256 + "," + port % 256 + ")");
          }
          case "RETR" -> {
            if (file == null) {
              reply(socket, "550 none");
            } else {
              reply(socket, "150 coming");
              try (ServerSocket once = data;
                  Socket to = once.accept();
                  OutputStream out = to.getOutputStream()) {
                int length = file.length - missing;
                out.write(Arrays.copyOf(file, Math.min(length, stallsAfter)));
                out.flush();
                if (stallsAfter < length) {
                  stalled.countDown();
                  closed.await();
                }
              }
              reply(socket, "226 done");
            }
          }
          case "QUIT" -> {
            reply(socket, "221 bye");
            return;
          }
          default -> reply(socket, "502 what");
        }
      }
    } catch (IOException e) {
      // The client went, which is its right.
      return;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void reply(Socket socket, String line) throws IOException {
    socket.getOutputStream().write((line + "\r\n").getBytes(StandardCharsets.UTF_8));
    socket.getOutputStream().flush();
  }

  @Override
  public void close() {
    closed.countDown();
    try {
      listener.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    threads.shutdownNow();
  }
}
