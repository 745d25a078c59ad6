package org.mezzo.fetcher.file;

import java.io.IOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.fetcher.TargetFile;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/** Copies files of this machine ({@code file}, rule 322). */
@Component(service = Fetcher.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Fetcher.KIND,
    name = "file",
    version = "0.2.0",
    author = "Mezzo",
    description = "copies files of the agent's machine")
public final class FileFetcher implements Fetcher {
  private static final long COPY_BYTES = 8L << 20;

  @Override
  public Set<String> schemes() {
    return Set.of("file");
  }

  @Override
  public void fetch(Request request) throws IOException, InterruptedException {
    Path source = source(request.uri());
    TargetFile.write(request.target(), out -> copy(source, out));
  }

  @Override
  public Description describe(URI uri) throws IOException {
    Path source = source(uri);
    return new Description(
        Optional.of(Files.size(source)),
        Optional.of(Long.toString(Files.getLastModifiedTime(source).toMillis())));
  }

  private static Path source(URI uri) throws IOException {
    String host = uri.getHost();
    String path = uri.getPath();
    if (host != null && !host.equalsIgnoreCase("localhost")) {
      throw new IOException(
          "'" + uri + "' names a file of '" + host + "'; only files of this machine can be copied");
    }
    if (path == null || !path.startsWith("/")) {
      throw new IOException("'" + uri + "' must have an absolute path");
    }
    Path source;
    try {
      source = Path.of(path);
    } catch (InvalidPathException e) {
      throw new IOException("'" + uri + "' names no file that can be: " + e.getReason(), e);
    }
    if (!Files.exists(source)) {
      throw new IOException(
          "There is no file '" + source + "' on this agent's machine; put it there, or use http");
    }
    if (!Files.isRegularFile(source)) {
      throw new IOException("'" + source + "' is not a file; name a file, for example an archive");
    }
    if (!Files.isReadable(source)) {
      throw new IOException("The agent's account may not read '" + source + "'");
    }
    return source;
  }

  private static void copy(Path source, FileChannel out) throws IOException {
    try (FileChannel in = FileChannel.open(source, StandardOpenOption.READ)) {
      long position = 0;
      long copied;
      // Not until a size known before: the file may be growing or shrinking.
      while ((copied = in.transferTo(position, COPY_BYTES, out)) > 0) {
        position += copied;
      }
    }
  }
}
