package org.mezzo.daemon.endpoints;

import java.util.Optional;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.http.HttpExchange;
import org.mezzo.protocol.v1.FileInfo;

/** {@code /files/browse} (rules 349, 350). */
final class BrowseEndpoint implements ApiEndpoint {
  private static final char[] MODE_LETTERS = "rwxrwxrwx".toCharArray();

  private final FileAnswers answers;

  BrowseEndpoint(FileAnswers answers) {
    this.answers = answers;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        "/files/browse",
        Access.READONLY,
        FileAnswers.PERMISSION,
        Help.of(
                "What a directory holds.",
                "Answers with an array, by path: name, size, mode, owner and time of each file; of"
                    + " a file, with itself.")
            .with("path", FileAnswers.PATH_MEANING)
            .with("jsonp", CommonEndpoints.JSONP));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    answers.answer(
        exchange,
        principal,
        "",
        answers.files()::browse,
        infos ->
            CommonEndpoints.respondJson(
                exchange, json -> json.array(() -> infos.forEach(info -> info(json, info)))));
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
}
