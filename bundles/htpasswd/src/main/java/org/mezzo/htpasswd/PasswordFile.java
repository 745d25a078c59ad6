package org.mezzo.htpasswd;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.json.JsonFormatException;
import org.mezzo.protocol.v1.Credential;
import org.mezzo.protocol.v1.Credentials;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file of names and passwords, read again when it changed. Safe for any thread. While it is not
 * there or cannot be read there are no passwords; a change that makes no sense leaves those of
 * before. What is wrong is logged once, by line, never with its content.
 */
final class PasswordFile {
  private static final Logger LOG = LoggerFactory.getLogger(PasswordFile.class);
  private static final long MOST_BYTES = 16L << 20;

  /** How to read the file. */
  enum Format {
    /** Rule 356: JSON, or lines of principal and secret. */
    CREDENTIALS,
    /** Lines of name, colon and hash. */
    HTPASSWD
  }

  private record Stamp(FileTime modified, long size, Object key) {}

  /** The passwords of one reading; a new reading is a new object. */
  record Passwords(Map<String, StoredPassword> byName) {
    static final Passwords NONE = new Passwords(Map.of());
  }

  private final Path path;
  private final Format format;
  private Stamp stamp;
  private Passwords passwords = Passwords.NONE;
  private String problem = "";

  PasswordFile(Path path, Format format) {
    this.path = path;
    this.format = format;
  }

  /** What the file says now. */
  synchronized Passwords read() {
    Stamp now;
    try {
      BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
      now = new Stamp(attributes.lastModifiedTime(), attributes.size(), attributes.fileKey());
      if (now.equals(stamp)) {
        return passwords;
      }
      String fault = fault(attributes);
      if (fault.isEmpty()) {
        parse(Files.readAllBytes(path));
      } else {
        none(fault);
      }
    } catch (IOException e) {
      none(
          e instanceof java.nio.file.NoSuchFileException
              ? "it does not exist; make it, or name another"
              : "it cannot be read by this account (" + e.getClass().getSimpleName() + ")");
      stamp = null;
      return passwords;
    }
    stamp = now;
    return passwords;
  }

  private void none(String why) {
    passwords = Passwords.NONE;
    if (!why.equals(problem)) {
      problem = why;
      LOG.error("Nobody can log in with the password file {}: {}", path, why);
    }
  }

  private String fault(BasicFileAttributes attributes) throws IOException {
    if (!attributes.isRegularFile()) {
      return "it is not a file";
    }
    if (attributes.size() > MOST_BYTES) {
      return "it has more than " + MOST_BYTES + " bytes";
    }
    Set<PosixFilePermission> permissions;
    try {
      permissions = Files.getPosixFilePermissions(path);
    } catch (UnsupportedOperationException e) {
      return "";
    }
    if (permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
      return "everybody may write to it; take that away: chmod 600 " + path;
    }
    if (permissions.contains(PosixFilePermission.OTHERS_READ)) {
      LOG.warn(
          "Everybody on this machine may read the password file {}; take that away: chmod 600 {}",
          path,
          path);
    }
    return "";
  }

  private void parse(byte[] content) {
    Map<String, StoredPassword> read = new HashMap<>();
    String text = new String(content, StandardCharsets.UTF_8);
    try {
      if (format == Format.CREDENTIALS && text.stripLeading().startsWith("{")) {
        parseJson(content, read);
      } else {
        parseLines(text, read);
      }
    } catch (IllegalArgumentException e) {
      problem = e.getMessage();
      LOG.error(
          "The password file {} cannot be understood ({}); the {} passwords of before stay",
          path,
          problem,
          passwords.byName.size());
      return;
    }
    problem = "";
    passwords = new Passwords(Map.copyOf(read));
    LOG.info("Read {} passwords from {}", read.size(), path);
  }

  private void parseJson(byte[] content, Map<String, StoredPassword> read) {
    Credentials credentials;
    try {
      credentials = Json.decode(content, Credentials.getDefaultInstance());
    } catch (JsonFormatException e) {
      // Its message may quote the content.
      throw new IllegalArgumentException(
          "it must look like {\"credentials\":[{\"principal\":\"...\",\"secret\":\"...\"}]}");
    }
    int count = 0;
    for (Credential credential : credentials.getCredentialsList()) {
      count++;
      if (credential.getPrincipal().isEmpty() || credential.getSecret().isEmpty()) {
        throw new IllegalArgumentException("entry " + count + " has no principal or no secret");
      }
      read.put(credential.getPrincipal(), StoredPassword.plain(credential.getSecret()));
    }
  }

  private void parseLines(String text, Map<String, StoredPassword> read) {
    int number = 0;
    for (String raw : text.split("\n")) {
      number++;
      String line = raw.strip();
      if (line.isEmpty() || line.startsWith("#") && format == Format.HTPASSWD) {
        continue;
      }
      if (format == Format.CREDENTIALS) {
        String[] words = line.split("\\s+");
        if (words.length != 2) {
          throw new IllegalArgumentException(
              "line " + number + " must be a principal, a blank and a secret without blanks");
        }
        read.put(words[0], StoredPassword.plain(words[1]));
        continue;
      }
      int colon = line.indexOf(':');
      if (colon < 1) {
        throw new IllegalArgumentException("line " + number + " must be a name, ':' and a hash");
      }
      Optional<StoredPassword> password = StoredPassword.hashed(line.substring(colon + 1));
      if (password.isEmpty()) {
        LOG.error(
            "Line {} of {} has a kind of hash that is not accepted; make it with: htpasswd -B",
            number,
            path);
        continue;
      }
      if (line.startsWith("{SHA}", colon + 1)) {
        LOG.warn(
            "Line {} of {} is an unsalted hash, which is easy to break; make it with: htpasswd -B",
            number,
            path);
      }
      read.put(line.substring(0, colon), password.get());
    }
  }
}
