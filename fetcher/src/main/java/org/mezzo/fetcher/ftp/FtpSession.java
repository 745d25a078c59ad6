package org.mezzo.fetcher.ftp;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.URLDecoder;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import javax.net.ssl.TrustManager;
import org.apache.commons.net.ftp.FTP;
import org.apache.commons.net.ftp.FTPClient;
import org.apache.commons.net.ftp.FTPReply;
import org.apache.commons.net.ftp.FTPSClient;
import org.mezzo.api.fetcher.Fetcher.Description;
import org.mezzo.api.fetcher.Uris;

/** One session with a server about one file. One thread uses it; any may cut it. */
final class FtpSession implements Closeable {
  private static final int PIECE = 65_536;
  private static final int IMPLICIT_PORT = 990;

  private final URI uri;
  private final Duration stall;
  private final FTPClient client;
  private final String path;
  private volatile InputStream data;
  private volatile boolean cut;
  private volatile long received;

  /**
   * @param stall the longest that the server may say nothing
   * @param trust judges certificates; null for what this machine trusts
   * @throws IOException when what the URI says cannot be said to a server
   */
  FtpSession(URI uri, Duration stall, TrustManager trust) throws IOException {
    this.uri = uri;
    this.stall = stall;
    // Relative to where the user is after the login; what begins with %2F is not.
    this.path = decoded(uri.getRawPath().substring(1));
    int millis = (int) Math.min(Integer.MAX_VALUE, Math.max(1, stall.toMillis()));
    if (uri.getScheme().equalsIgnoreCase("ftps")) {
      FTPSClient secure = new FTPSClient(true);
      secure.setTrustManager(trust);
      // A certificate must be of this server, too.
      secure.setEndpointCheckingEnabled(true);
      client = secure;
    } else {
      client = new FTPClient();
    }
    client.setConnectTimeout(millis);
    client.setDefaultTimeout(millis);
    client.setDataTimeout(Duration.ofMillis(millis));
    client.setControlEncoding(StandardCharsets.UTF_8.name());
  }

  void open() throws IOException {
    String host = Uris.host(uri).orElse("");
    int port = Uris.port(uri);
    boolean secure = client instanceof FTPSClient;
    client.connect(
        host.startsWith("[") ? host.substring(1, host.length() - 1) : host,
        port >= 0 ? port : secure ? IMPLICIT_PORT : FTP.DEFAULT_PORT);
    if (cut) {
      throw new IOException("The fetch was cancelled");
    }
    if (!FTPReply.isPositiveCompletion(client.getReplyCode())) {
      throw refused("does not serve");
    }
    String[] login = Uris.userInfo(uri).orElse("anonymous:mezzo@").split(":", 2);
    if (!client.login(decoded(login[0]), login.length > 1 ? decoded(login[1]) : "")) {
      throw refused("refuses the user; write ftp://user:password@host/path");
    }
    if (secure) {
      ((FTPSClient) client).execPBSZ(0);
      ((FTPSClient) client).execPROT("P");
    }
    client.enterLocalPassiveMode();
    if (!client.setFileType(FTP.BINARY_FILE_TYPE)) {
      throw refused("sends no binary files");
    }
  }

  Description describe() throws IOException {
    return new Description(size(), Optional.ofNullable(client.getModificationTime(path)));
  }

  private Optional<Long> size() throws IOException {
    String size = client.getSize(path);
    try {
      return size == null ? Optional.empty() : Optional.of(Long.parseLong(size.strip()));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  /** Writes the whole file. */
  Void read(FileChannel out) throws IOException {
    Optional<Long> size = size();
    try (InputStream in = client.retrieveFileStream(path)) {
      if (in == null) {
        throw refused("does not send the file; is the path right, and may the user read it?");
      }
      data = in;
      byte[] piece = new byte[PIECE];
      int length;
      while (!cut && (length = in.read(piece)) >= 0) {
        received(length);
        ByteBuffer bytes = ByteBuffer.wrap(piece, 0, length);
        while (bytes.hasRemaining()) {
          out.write(bytes);
        }
      }
    }
    if (cut) {
      throw new IOException("The fetch was cancelled");
    }
    if (!client.completePendingCommand()) {
      throw refused("did not send the file to its end");
    }
    if (size.isPresent() && size.get() != received) {
      throw new IOException(
          shown() + " has " + size.get() + " bytes, and " + received + " were received");
    }
    return null;
  }

  private IOException refused(String what) {
    String reply = client.getReplyString();
    return new IOException(
        "The server of "
            + shown()
            + " "
            + what
            + (reply == null ? "" : " (it says '" + reply.strip() + "')"));
  }

  /** What went wrong, in words that say what to do. */
  IOException failure(Throwable cause) {
    if (cause instanceof UnknownHostException) {
      return new IOException(
          "There is no server for " + shown() + ": its name is not known", cause);
    }
    if (cause instanceof SocketTimeoutException) {
      return new IOException(
          shown()
              + " stalled: no byte for "
              + stall.toMillis() / 1000.0
              + " s after "
              + received
              + " bytes; look at the server, or raise --fetcher_stall_timeout",
          cause);
    }
    if (cause instanceof ConnectException) {
      return new IOException(
          "Cannot connect for " + shown() + ": is the name right and the server running?", cause);
    }
    if (cause instanceof IOException failure
        && failure.getMessage() != null
        && failure.getMessage().contains(shown())) {
      return failure;
    }
    return new IOException("Reading " + shown() + " failed: " + cause.getMessage(), cause);
  }

  private String shown() {
    return "'" + Uris.shown(uri) + "'";
  }

  private String decoded(String text) throws IOException {
    String decoded = URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    if (decoded.chars().anyMatch(Character::isISOControl)) {
      // It would be a command of its own.
      throw new IOException(shown() + " has a control character");
    }
    return decoded;
  }

  /** Ends it, whatever it is at; by any thread. */
  void cut() {
    cut = true;
    InputStream reading = data;
    try {
      if (reading != null) {
        reading.close();
      }
      client.disconnect();
    } catch (IOException | RuntimeException e) {
      // It is over either way.
      return;
    }
  }

  @Override
  public void close() throws IOException {
    if (client.isConnected() && !cut) {
      try {
        client.logout();
      } catch (IOException e) {
        // The file is there.
        cut = true;
      }
    }
    try {
      client.disconnect();
    } catch (IOException e) {
      cut = true;
    }
  }

  /** Only the thread that transfers counts. */
  @SuppressWarnings("NonAtomicVolatileUpdate")
  private void received(int count) {
    received += count;
  }
}
