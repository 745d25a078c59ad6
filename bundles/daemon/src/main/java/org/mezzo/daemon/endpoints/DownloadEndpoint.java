package org.mezzo.daemon.endpoints;

import java.util.Map;
import java.util.Optional;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Refused;
import org.mezzo.http.HttpExchange;

/** {@code /files/download} (rule 349). */
final class DownloadEndpoint implements ApiEndpoint {
  private final FileAnswers answers;

  DownloadEndpoint(FileAnswers answers) {
    this.answers = answers;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        "/files/download",
        Access.READONLY,
        FileAnswers.PERMISSION,
        Help.of("A whole file.", "Answers with the file's bytes, as an attachment of its name.")
            .with("path", FileAnswers.PATH_MEANING));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    answers.answer(
        exchange,
        principal,
        "404 Not Found.",
        path -> answers.files().open(path, "Cannot download a directory"),
        file ->
            exchange.respondContent(
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
}
