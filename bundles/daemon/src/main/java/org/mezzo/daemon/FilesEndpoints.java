package org.mezzo.daemon;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.mezzo.api.authentication.Principal;
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

  /** Answers for a path that may be seen. */
  private interface Answer {
    void to(HttpExchange exchange, String path) throws IOException;
  }

  void browse(HttpExchange exchange, Optional<Principal> principal) {
    answer(
        exchange,
        principal,
        "",
        (it, path) -> {
          var infos = files.browse(path);
          CommonEndpoints.respondJson(
              it, json -> json.array(() -> infos.forEach(info -> info(json, info))));
        });
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
        (it, path) -> {
          var chunk = files.read(path, number(it, "offset"), number(it, "length"));
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
        (it, path) -> {
          Path file = files.file(path, "Cannot download a directory");
          it.respondFile(
              Map.of(
                  "Content-Type",
                  "application/octet-stream",
                  "Content-Disposition",
                  "attachment; filename=" + safeName(file)),
              file);
        });
  }

  private static String safeName(Path file) {
    String name = file.getFileName().toString();
    return name.matches("[A-Za-z0-9._+@=-]+")
        ? name
        : '"' + name.replaceAll("[^ -~]|[\"\\\\]", "_") + '"';
  }

  private void answer(
      HttpExchange exchange, Optional<Principal> principal, String notFound, Answer answer) {
    String path = exchange.query().get("path");
    if (path == null || path.isEmpty()) {
      exchange.respond(HttpResponse.text(400, "Expecting 'path=value' in query.\n"));
      return;
    }
    files
        .allowed(path, principal)
        .whenCompleteAsync(
            (allowed, failure) ->
                Router.guard(
                    exchange,
                    it -> {
                      if (failure != null || !allowed) {
                        it.respond(HttpResponse.text(403, "403 Forbidden."));
                        return;
                      }
                      try {
                        answer.to(it, path);
                      } catch (FileException e) {
                        String text =
                            e.status() == 404 && e.getMessage().isEmpty()
                                ? notFound
                                : e.getMessage() + ".\n";
                        it.respond(HttpResponse.text(e.status(), text));
                      } catch (NoSuchFileException e) {
                        it.respond(HttpResponse.text(404, notFound));
                      } catch (java.nio.file.AccessDeniedException e) {
                        it.respond(
                            HttpResponse.text(403, "The daemon may not read '" + path + "'.\n"));
                      }
                    }),
            workers);
  }
}
