package org.mezzo.agent.registration;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.json.JsonFormatException;
import org.mezzo.protocol.v1.Credential;

/** The file from which agents have what they show masters, by themselves (rule 356). */
public final class MasterCredential {
  private static final String FORM =
      " must have a principal, a blank and a secret, or"
          + " {\"principal\": \"...\", \"secret\": \"...\"}";

  private MasterCredential() {}

  /**
   * Looks whether the file of {@code --credential} has what a module can show from it.
   *
   * @return the principal
   * @throws IllegalArgumentException when there is no credential in it; never with its content
   */
  public static String check(Path file) {
    String text;
    try {
      text = Files.readString(file).strip();
    } catch (NoSuchFileException e) {
      throw new IllegalArgumentException(file + " does not exist", e);
    } catch (IOException e) {
      throw new IllegalArgumentException(
          file + " cannot be read as a text (" + e.getClass().getSimpleName() + ")", e);
    }
    String[] words = text.startsWith("{") ? json(file, text) : text.split("\\s+");
    if (words.length != 2 || words[0].isEmpty() || words[1].isEmpty()) {
      throw new IllegalArgumentException(file + FORM);
    }
    if (words[0].indexOf(':') >= 0) {
      throw new IllegalArgumentException(
          file + " has a principal with ':', which HTTP cannot send");
    }
    return words[0];
  }

  private static String[] json(Path file, String text) {
    try {
      Credential credential =
          Json.decode(text.getBytes(StandardCharsets.UTF_8), Credential.getDefaultInstance());
      return new String[] {credential.getPrincipal(), credential.getSecret()};
    } catch (JsonFormatException e) {
      // Its message may quote the content.
      throw new IllegalArgumentException(file + FORM);
    }
  }
}
