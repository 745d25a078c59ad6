package org.mezzo.acls;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where access control lists are: in a text itself, or in a file that it names. Immutable.
 *
 * @param text the value of {@code --acls}: JSON, a path, or a path behind {@code file://}
 * @param file the file that it names; empty when it is JSON
 */
public record AclsSource(String text, Optional<Path> file) {
  private static final String FILE = "file://";
  private static final long MOST_BYTES = 16L << 20;

  /**
   * What the flag's text means.
   *
   * @throws AclsException when it is neither JSON nor a path
   */
  public static AclsSource of(String text) throws AclsException {
    String stripped = text.strip();
    if (stripped.isEmpty()) {
      throw new AclsException("the text is empty: give JSON, or the path of a file with JSON");
    }
    if (stripped.startsWith("{")) {
      return new AclsSource(stripped, Optional.empty());
    }
    String path = stripped.startsWith(FILE) ? stripped.substring(FILE.length()) : stripped;
    try {
      return new AclsSource(stripped, Optional.of(Path.of(path).toAbsolutePath()));
    } catch (InvalidPathException e) {
      throw new AclsException("'" + stripped + "' is neither JSON nor a path", e);
    }
  }

  /**
   * The JSON that is there now.
   *
   * @throws AclsException when the file cannot be read; says why
   */
  public String json() throws AclsException {
    if (file.isEmpty()) {
      return text;
    }
    Path path = file.get();
    try {
      if (!Files.isRegularFile(path) && Files.exists(path)) {
        throw new AclsException(path + " is not a file");
      }
      if (Files.size(path) > MOST_BYTES) {
        throw new AclsException(path + " has more than " + MOST_BYTES + " bytes");
      }
      return Files.readString(path);
    } catch (NoSuchFileException e) {
      throw new AclsException(path + " does not exist; make it, or name another", e);
    } catch (CharacterCodingException e) {
      throw new AclsException(path + " is not a text in UTF-8", e);
    } catch (IOException e) {
      throw new AclsException(
          path + " cannot be read by this account (" + e.getClass().getSimpleName() + ")", e);
    }
  }

  /**
   * The access control lists that are there now.
   *
   * @throws AclsException when there are none that can be used; names file, field and line
   */
  public Acls read() throws AclsException {
    return parse(json());
  }

  /**
   * What a JSON says that was read from here.
   *
   * @throws AclsException names file, field and line
   */
  public Acls parse(String json) throws AclsException {
    try {
      return Acls.parse(json);
    } catch (AclsException e) {
      throw file.isEmpty() ? e : new AclsException(file.get() + ": " + e.getMessage(), e);
    }
  }
}
