package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Connections with sockets that are files. */
final class UnixSockets {
  /** What the address of a socket holds on every system; the kernel's is 108. */
  private static final int LONGEST_PATH = 100;

  private UnixSockets() {}

  /** Connects with who listens in a folder, however long its path is. */
  static SocketChannel connect(Path folder, String name) throws IOException {
    if (folder.resolve(name).toString().getBytes(StandardCharsets.UTF_8).length <= LONGEST_PATH) {
      return connect(folder.resolve(name));
    }
    // By a shorter way, which is open to nobody else and needed only now.
    Path temporary = Files.createTempDirectory("mezzo");
    Path way = temporary.resolve("l");
    try {
      Files.createSymbolicLink(way, folder.toAbsolutePath());
      return connect(way.resolve(name));
    } finally {
      Files.deleteIfExists(way);
      Files.deleteIfExists(temporary);
    }
  }

  private static SocketChannel connect(Path socket) throws IOException {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      channel.connect(UnixDomainSocketAddress.of(socket));
      return channel;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }
}
