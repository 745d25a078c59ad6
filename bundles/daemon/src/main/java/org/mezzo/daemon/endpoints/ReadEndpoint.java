package org.mezzo.daemon.endpoints;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.files.FileException;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.http.HttpExchange;

/** {@code /files/read} (rules 349, 351). */
final class ReadEndpoint implements ApiEndpoint {
  private final FileAnswers answers;

  ReadEndpoint(FileAnswers answers) {
    this.answers = answers;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        "/files/read",
        Access.READONLY,
        FileAnswers.PERMISSION,
        Help.of(
                "A piece of a file.",
                "Answers with an object of the text and where it begins. A piece is at most "
                    + VirtualFiles.MAX_READ_BYTES
                    + " bytes and does not end within a character.")
            .with("path", FileAnswers.PATH_MEANING)
            .with(
                "offset", "where to begin, in bytes; without it, or with -1, only the size is told")
            .with("length", "how many bytes to read at most")
            .with("jsonp", CommonEndpoints.JSONP));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    answers.answer(
        exchange,
        principal,
        "",
        path -> {
          try {
            return answers
                .files()
                .read(path, number(exchange, "offset"), number(exchange, "length"));
          } catch (FileException e) {
            return CompletableFuture.failedStage(e);
          }
        },
        chunk -> {
          byte[] data = wholeCharacters(chunk);
          CommonEndpoints.respondJson(
              exchange,
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
}
