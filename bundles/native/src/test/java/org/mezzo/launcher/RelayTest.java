package org.mezzo.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Connections that are made in the network of another process. */
@Timeout(60)
class RelayTest {
  private static final int CONNECTED = 0;
  private static final int REFUSED = 1;
  private static final int FAILED = 2;
  private static final int FORBIDDEN = 3;

  private static final boolean ROOT = "root".equals(System.getProperty("user.name"));

  @TempDir Path folder;
  private Process relay;
  private Path socket;
  private final List<Process> others = new ArrayList<>();

  @AfterEach
  void end() {
    others.forEach(Process::destroyForcibly);
    if (relay != null) {
      relay.destroyForcibly();
    }
  }

  private Process start(Path in, String... before) throws Exception {
    List<String> command = new ArrayList<>(List.of(before));
    command.addAll(List.of(C.launcher().toString(), "relay", in.toString()));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  private void open(String... before) throws Exception {
    Path own =
        Files.createDirectory(
            folder.resolve("relay"),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    relay = start(own, before);
    BufferedReader said = relay.inputReader();
    assertThat(said.readLine()).isEqualTo("ready");
    socket = own.resolve("relay.socket");
  }

  private SocketChannel ask(int version, int family, int port, long pid, byte[] address)
      throws Exception {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.connect(UnixDomainSocketAddress.of(socket));
    ByteBuffer request =
        ByteBuffer.allocate(24)
            .put((byte) version)
            .put((byte) family)
            .putShort((short) port)
            .putInt((int) pid)
            .put(address)
            .rewind();
    while (request.hasRemaining()) {
      channel.write(request);
    }
    return channel;
  }

  private SocketChannel ask(long pid, int port) throws Exception {
    return ask(1, 4, port, pid, new byte[] {127, 0, 0, 1});
  }

  private static InputStream in(SocketChannel channel) {
    return Channels.newInputStream(channel);
  }

  /** What it says to that, which ends with it. */
  private static String answer(SocketChannel channel) throws Exception {
    try (channel) {
      byte[] all = in(channel).readAllBytes();
      return all[0] + " " + new String(all, 1, all.length - 1, StandardCharsets.UTF_8);
    }
  }

  private static ServerSocket server() throws Exception {
    return new ServerSocket(0, 50, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}));
  }

  /** A process in a network where nobody listens, and whose loopback is up. */
  private Process alone() throws Exception {
    Process process =
        new ProcessBuilder("unshare", "-n", "sh", "-c", "ip link set lo up; echo; exec sleep 1000")
            .start();
    others.add(process);
    process.inputReader().readLine();
    return process;
  }

  @Test
  void bytesGoBothWaysUntilOneSideEnds() throws Exception {
    assumeTrue(ROOT, "only root enters networks");
    open();
    byte[] much = new byte[3_000_000];
    new Random(7).nextBytes(much);
    try (ServerSocket server = server();
        SocketChannel channel = ask(ProcessHandle.current().pid(), server.getLocalPort())) {
      Socket there = server.accept();
      assertThat(in(channel).read()).isEqualTo(CONNECTED);
      CompletableFuture<byte[]> received =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  byte[] all = there.getInputStream().readNBytes(much.length);
                  there.getOutputStream().write(all);
                  there.close();
                  return all;
                } catch (java.io.IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              });
      CompletableFuture<Void> sent =
          CompletableFuture.runAsync(
              () -> {
                try {
                  OutputStream out = Channels.newOutputStream(channel);
                  out.write(much);
                } catch (java.io.IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              });
      sent.get(30, TimeUnit.SECONDS);
      assertThat(in(channel).readAllBytes()).isEqualTo(much);
      assertThat(received.get(30, TimeUnit.SECONDS)).isEqualTo(much);
    }
    // One that the agent has enough of ends at the other side, too.
    try (ServerSocket server = server()) {
      SocketChannel channel = ask(ProcessHandle.current().pid(), server.getLocalPort());
      Socket there = server.accept();
      assertThat(in(channel).read()).isEqualTo(CONNECTED);
      channel.close();
      assertThat(there.getInputStream().read()).isNegative();
      there.close();
    }
  }

  @Test
  void whoIsAskedIsInTheNetworkOfTheProcessAndNoOther() throws Exception {
    assumeTrue(ROOT, "only root enters networks");
    open();
    try (ServerSocket here = server()) {
      int port = here.getLocalPort();
      Process alone = alone();
      assertThat(answer(ask(alone.pid(), port))).isEqualTo(REFUSED + " Connection refused");
      // It has come back from there.
      try (SocketChannel channel = ask(ProcessHandle.current().pid(), port)) {
        assertThat(in(channel).read()).isEqualTo(CONNECTED);
      }
      alone.destroyForcibly().waitFor();
      assertThat(answer(ask(alone.pid(), port)))
          .startsWith(FAILED + " the network of the task's process cannot be entered: ");
    }
  }

  @Test
  void whatItDoesNotKnowIsRefused() throws Exception {
    open();
    assertThat(answer(ask(2, 4, 80, 1, new byte[4]))).startsWith(FAILED + " the relay does not");
    assertThat(answer(ask(1, 5, 80, 1, new byte[4]))).startsWith(FAILED + " the relay does not");
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      channel.write(ByteBuffer.allocate(23));
      channel.shutdownOutput();
      assertThat(in(channel).read()).isNegative();
    }
  }

  @Test
  void whoMayNotEnterSaysSo() throws Exception {
    assumeTrue(ROOT, "root takes its own rights away here");
    open("setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin");
    assertThat(answer(ask(ProcessHandle.current().pid(), 1)))
        .isEqualTo(
            FORBIDDEN
                + " the network of the task's process cannot be entered: Operation not permitted");
  }

  @Test
  void itEndsWithWhoeverStartedIt() throws Exception {
    open();
    relay.getOutputStream().close();
    assertThat(relay.waitFor()).isZero();
    assertThat(socket).doesNotExist();
    Path others =
        Files.createDirectory(
            folder.resolve("open"),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx--x---")));
    assertThat(start(others).waitFor()).isEqualTo(1);
  }
}
