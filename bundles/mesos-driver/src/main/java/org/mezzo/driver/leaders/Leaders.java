package org.mezzo.driver.leaders;

import java.io.Closeable;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;

/** Finds the leading master, again and again. Thread-safe. */
public interface Leaders extends Closeable {
  /**
   * Where the master that leads is asked, {@code http://host:port}; waits for one. It may have lost
   * its lead by the time that it is asked, and then redirects.
   */
  URI leader() throws InterruptedException;

  /** Wakes whoever waits, with an {@link InterruptedException}. */
  @Override
  void close();

  /**
   * Those that are meant by {@code host:port}, {@code http(s)://host:port}, {@code
   * zk://[user:password@]host:port,.../path}, or {@code file://path} of a file that holds one of
   * these.
   *
   * @param scheme that of masters that are named without one, {@code http} or {@code https}
   * @throws IllegalArgumentException when it is none of them; the message names the remedy
   */
  static Leaders of(String master, String scheme) {
    String named = master.trim();
    if (named.startsWith("file://")) {
      named = content(named);
    }
    if (named.isEmpty()) {
      throw new IllegalArgumentException(
          "no master is named; give host:port, or zk://host:port,.../path");
    }
    if (named.equals("local") || named.equals("localquiet")) {
      throw new IllegalArgumentException(
          "the master '"
              + named
              + "' would be a cluster inside this process, which this driver does not have; start"
              + " one with 'bin/mezzo local' and give its address, localhost:5050");
    }
    if (named.startsWith("zk://")) {
      return ZooKeeperLeaders.of(ZooKeeperAddress.of(named), scheme);
    }
    URI address = address(named, scheme);
    return new Leaders() {
      private volatile boolean closed;

      @Override
      public URI leader() throws InterruptedException {
        if (closed) {
          throw new InterruptedException();
        }
        return address;
      }

      @Override
      public void close() {
        closed = true;
      }
    };
  }

  static String content(String file) {
    try {
      String content =
          new String(
                  Files.readAllBytes(Paths.get(file.substring("file://".length()))),
                  StandardCharsets.UTF_8)
              .trim();
      if (content.startsWith("file://")) {
        throw new IllegalArgumentException(
            file + " names another file; it has to hold host:port or zk://...");
      }
      return content;
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "the file that names the master cannot be read: " + e.toString(), e);
    }
  }

  static URI address(String named, String scheme) {
    try {
      URI address = new URI(named.contains("://") ? named : scheme + "://" + named);
      boolean http = "http".equals(address.getScheme()) || "https".equals(address.getScheme());
      if (http && address.getHost() != null && address.getPort() > 0) {
        return new URI(
            address.getScheme(), null, address.getHost(), address.getPort(), null, null, null);
      }
    } catch (URISyntaxException e) {
      // Said below.
    }
    throw new IllegalArgumentException(
        "'"
            + named
            + "' is no address of a master; give host:port, http://host:port,"
            + " zk://host:port,.../path or file://path");
  }
}
