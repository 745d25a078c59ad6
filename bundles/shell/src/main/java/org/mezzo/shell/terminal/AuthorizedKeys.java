package org.mezzo.shell.terminal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.sshd.common.config.keys.AuthorizedKeyEntry;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.PublicKeyEntryResolver;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys in a file as OpenSSH writes it, with the option {@code role="view"}, {@code "operate"}
 * or {@code "administer"} in front of them. Read again whenever the file has changed. Safe for any
 * thread.
 */
final class AuthorizedKeys {
  private static final Logger LOG = LoggerFactory.getLogger(AuthorizedKeys.class);
  private static final String ROLE = "role";

  /** Options that limit a key in a way in which nothing is limited here. */
  private static final Set<String> LIMITS =
      Set.of("cert-authority", "command", "expiry-time", "from", "principals", "verify-required");

  /**
   * Who has a key.
   *
   * @param name the comment behind the key; its fingerprint where there is none
   */
  record Holder(PublicKey key, String name, Access access) {}

  private record Version(Object time, long size, Object file) {}

  private final Path file;
  private final Access otherwise;
  private Optional<Version> version = Optional.empty();
  private List<Holder> holders = List.of();

  /**
   * Over a file, which is not read yet.
   *
   * @param otherwise what the holders of keys without a role may do
   */
  AuthorizedKeys(Path file, Access otherwise) {
    this.file = file;
    this.otherwise = otherwise;
  }

  Path file() {
    return file;
  }

  /** Who has a key now; nobody when the file cannot be read. Of several lines the first counts. */
  synchronized Optional<Holder> find(PublicKey key) {
    refresh();
    return holders.stream().filter(it -> KeyUtils.compareKeys(it.key(), key)).findFirst();
  }

  private void refresh() {
    try {
      BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
      Version found = new Version(now.lastModifiedTime(), now.size(), now.fileKey());
      if (!version.equals(Optional.of(found))) {
        holders = read(Files.readAllLines(file));
        version = Optional.of(found);
      }
    } catch (IOException e) {
      LOG.warn("Nobody gets into the shell over SSH: '{}' cannot be read", file, e);
      holders = List.of();
      version = Optional.empty();
    }
  }

  /** The keys that can be used; what is wrong with others is in the log. */
  private List<Holder> read(List<String> lines) {
    List<Holder> read = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      try {
        holder(lines.get(i)).ifPresent(read::add);
      } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
        LOG.warn("The key in line {} of '{}' is not used: {}", i + 1, file, e.getMessage());
      }
    }
    return read;
  }

  private Optional<Holder> holder(String line) throws IOException, GeneralSecurityException {
    AuthorizedKeyEntry entry = AuthorizedKeyEntry.parseAuthorizedKeyEntry(line);
    if (entry == null) {
      return Optional.empty();
    }
    Map<String, String> options =
        entry.getLoginOptions() == null ? Map.of() : entry.getLoginOptions();
    Access access = otherwise;
    for (Map.Entry<String, String> option : options.entrySet()) {
      if (LIMITS.contains(option.getKey())) {
        throw new IllegalArgumentException(
            "the option "
                + option.getKey()
                + " limits it in a way that the shell does not know; take the option away, or use"
                + " a file of its own for the shell");
      }
      if (option.getKey().equals(ROLE)) {
        access = role(option.getValue());
      }
    }
    PublicKey key = entry.resolvePublicKey(null, PublicKeyEntryResolver.FAILING);
    String comment = entry.getComment() == null ? "" : entry.getComment().strip();
    return Optional.of(
        new Holder(key, comment.isEmpty() ? KeyUtils.getFingerPrint(key) : comment, access));
  }

  private static Access role(String value) {
    String word = value == null ? "" : value.replace("\"", "");
    return Access.of(word)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "the role \"" + word + "\" is not one of view, operate and administer"));
  }
}
