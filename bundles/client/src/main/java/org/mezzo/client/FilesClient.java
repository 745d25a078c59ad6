package org.mezzo.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.mezzo.protocol.v1.FileInfo;
import org.mezzo.protocol.v1.agent.Call;
import org.mezzo.protocol.v1.agent.Response;

/** Reads files that an agent serves: sandboxes and logs. */
public final class FilesClient implements AutoCloseable {
  private final Transport transport;
  private final URI agent;

  /**
   * Makes a client of one agent.
   *
   * @param options whose masters are not asked
   * @param agent such as {@code http://host:5051}
   */
  public FilesClient(ClientOptions options, URI agent) {
    this.transport = new Transport(options);
    this.agent = agent;
  }

  /** Shares the threads of another client, which closes them. */
  FilesClient(Transport transport, URI agent) {
    this.transport = transport;
    this.agent = agent;
  }

  /**
   * A piece of a file.
   *
   * @param size of the whole file at that moment
   */
  public record Piece(byte[] data, long size) {}

  /** The entries of a folder by path. */
  public CompletableFuture<List<FileInfo>> browse(String path) {
    return call(Call.newBuilder()
            .setType(Call.Type.LIST_FILES)
            .setListFiles(Call.ListFiles.newBuilder().setPath(path)))
        .thenApply(response -> response.getListFiles().getFileInfosList());
  }

  /** At most {@code length} bytes from an offset; none when the file ends there. */
  public CompletableFuture<Piece> read(String path, long offset, long length) {
    return call(Call.newBuilder()
            .setType(Call.Type.READ_FILE)
            .setReadFile(
                Call.ReadFile.newBuilder().setPath(path).setOffset(offset).setLength(length)))
        .thenApply(
            response ->
                new Piece(
                    response.getReadFile().getData().toByteArray(),
                    response.getReadFile().getSize()));
  }

  /** Copies a whole file; blocks. The stream is not closed. */
  public void download(String path, OutputStream out) throws IOException {
    HttpResponse<InputStream> response;
    try {
      response =
          transport
              .get(
                  agent,
                  "/files/download?path=" + URLEncoder.encode(path, StandardCharsets.UTF_8),
                  HttpResponse.BodyHandlers.ofInputStream())
              .join();
    } catch (java.util.concurrent.CompletionException e) {
      throw new IOException(path + " was not downloaded: " + Transport.describe(e), e);
    }
    try (InputStream in = response.body()) {
      if (response.statusCode() != 200) {
        throw new ApiException(
            response.statusCode(), new String(in.readNBytes(4096), StandardCharsets.UTF_8));
      }
      in.transferTo(out);
    }
  }

  @Override
  public void close() {
    transport.close();
  }

  private CompletableFuture<Response> call(Call.Builder call) {
    return transport
        .call(agent, "/api/v1", transport.encode(call.build()), Map.of())
        .thenApply(
            body -> {
              try {
                return transport.decode(body, Response.getDefaultInstance());
              } catch (IOException e) {
                throw new java.util.concurrent.CompletionException(e);
              }
            });
  }
}
