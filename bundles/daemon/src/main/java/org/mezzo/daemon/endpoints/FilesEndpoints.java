package org.mezzo.daemon.endpoints;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.files.FileException;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.protocol.v1.FileInfo;

/** {@code /files/browse}, {@code read} and {@code download} (rules 349 to 351). */
final class FilesEndpoints {
  private static final char[] MODE_LETTERS = "rwxrwxrwx".toCharArray();

  private final VirtualFiles files;
  private final Executor workers;

  FilesEndpoints(VirtualFiles files, Executor workers) {
    this.files = files;
    this.workers = workers;
  }

  void browse(HttpExchange exchange, Optional<Principal> principal) {
    answer(
        exchange,
        principal,
        "",
        files::browse,
        (it, infos) ->
            CommonEndpoints.respondJson(
                it, json -> json.array(() -> infos.forEach(info -> info(json, info)))));
  }

  private static void info(JsonOut json, FileInfo info) {
    json.object(
        () -> {
          json.field("gid", info.getGid());
          json.field("mode", modeText(info.getMode()));
          json.field("mtime", info.getMtime().getNanoseconds() / 1e9);
          json.integer("nlink", info.getNlink());
          json.field("path", info.getPath());
          json.integer("size", info.getSize());
          json.field("uid", info.getUid());
        });
  }

  /** As {@code ls} shows a mode. */
  static String modeText(int mode) {
    StringBuilder text = new StringBuilder(10);
    switch (mode & 0170000) {
      case 0040000:
        text.append('d');
        break;
      case 0120000:
        text.append('l');
        break;
      case 0010000:
        text.append('p');
        break;
      case 0140000:
        text.append('s');
        break;
      case 0060000:
        text.append('b');
        break;
      case 0020000:
        text.append('c');
        break;
      default:
        text.append('-');
    }
    for (int bit = 0; bit < MODE_LETTERS.length; bit++) {
      text.append((mode & (0400 >> bit)) != 0 ? MODE_LETTERS[bit] : '-');
    }
    return text.toString();
  }

  void read(HttpExchange exchange, Optional<Principal> principal) {
    answer(
        exchange,
        principal,
        "",
        path -> {
          try {
            return files.read(path, number(exchange, "offset"), number(exchange, "length"));
          } catch (FileException e) {
            return CompletableFuture.failedStage(e);
          }
        },
        (it, chunk) -> {
          byte[] data = wholeCharacters(chunk);
          CommonEndpoints.respondJson(
              it,
              json ->
                  json.object(
                      () -> {
                        json.field("data", new String(data, StandardCharsets.UTF_8));
                        json.integer("offset", chunk.offset());
                      }));
        });
  }

  private static long number(HttpExchange exchange, String name) throws FileException {
    String text = exchange.query().get(name);
    if (text == null || text.isEmpty()) {
      return -1;
    }
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new FileException(
          400, "Failed to parse " + name + ": Failed to convert '" + text + "' to number");
    }
  }

  /** Leaves a character that the piece's end cuts to the next piece. */
  private static byte[] wholeCharacters(VirtualFiles.Chunk chunk) {
    byte[] data = chunk.data();
    if (chunk.offset() + data.length >= chunk.size()) {
      return data;
    }
    for (int back = 1; back <= 3 && back < data.length; back++) {
      int unit = data[data.length - back] & 0xff;
      if (unit < 0x80) {
        return data;
      }
      if (unit >= 0xc0) {
        int length = unit >= 0xf0 ? 4 : unit >= 0xe0 ? 3 : 2;
        return length > back ? Arrays.copyOf(data, data.length - back) : data;
      }
    }
    return data;
  }

  void download(HttpExchange exchange, Optional<Principal> principal) {
    answer(
        exchange,
        principal,
        "404 Not Found.",
        path -> files.open(path, "Cannot download a directory"),
        (it, file) ->
            it.respondContent(
                Map.of(
                    "Content-Type",
                    "application/octet-stream",
                    "Content-Disposition",
                    "attachment; filename=" + safeName(file.name())),
                file.content(),
                file.size()));
  }

  private static String safeName(String name) {
    return name.matches("[A-Za-z0-9._+@=-]+")
        ? name
        : '"' + name.replaceAll("[^ -~]|[\"\\\\]", "_") + '"';
  }

  private <T> void answer(
      HttpExchange exchange,
      Optional<Principal> principal,
      String notFound,
      Function<String, CompletionStage<T>> read,
      BiConsumer<HttpExchange, T> answer) {
    String path = exchange.query().get("path");
    if (path == null || path.isEmpty()) {
      exchange.respond(HttpResponse.text(400, "Expecting 'path=value' in query.\n"));
      return;
    }
    files
        .onBehalfOf(principal, path, () -> read.apply(path))
        .whenCompleteAsync(
            (found, failure) ->
                Router.guard(
                    exchange,
                    it -> {
                      if (failure == null) {
                        answer.accept(it, found);
                      } else {
                        reject(it, failure, notFound);
                      }
                    }),
            workers);
  }

  private static void reject(HttpExchange exchange, Throwable failure, String notFound) {
    FileException reason = FileException.of(failure);
    if (reason == null) {
      throw new IllegalStateException("A file could not be read", failure);
    }
    String text = reason.getMessage().isEmpty() ? notFound : reason.getMessage() + ".\n";
    exchange.respond(HttpResponse.text(reason.status(), text));
  }
}
