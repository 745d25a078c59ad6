package org.mezzo.htpasswd;

import at.favre.lib.crypto.bcrypt.BCrypt;
import at.favre.lib.crypto.bcrypt.LongPasswordStrategies;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.codec.digest.Sha2Crypt;

/** What a password is compared with, in constant time. Its text form shows nothing. */
abstract class StoredPassword {
  private static final int MOST_BCRYPT_COST = 14;
  private static final int BCRYPT_LENGTH = 60;
  private static final long MOST_SHA_ROUNDS = 500_000;
  private static final Pattern ROUNDS = Pattern.compile("\\$[56]\\$rounds=(\\d{1,18})");

  /** Whether this is the password. */
  abstract boolean matches(byte[] password);

  /** Whether a comparison is so slow, on purpose, that its outcome should be remembered. */
  abstract boolean slow();

  @Override
  public final String toString() {
    return "(hidden)";
  }

  /** A password that is known as such. */
  static StoredPassword plain(String secret) {
    byte[] expected = digest("SHA-256", secret.getBytes(StandardCharsets.UTF_8));
    return new StoredPassword() {
      @Override
      boolean matches(byte[] password) {
        return MessageDigest.isEqual(expected, digest("SHA-256", password));
      }

      @Override
      boolean slow() {
        return false;
      }
    };
  }

  /** A hash in the form of htpasswd; empty when the form is not known or would take too long. */
  static Optional<StoredPassword> hashed(String hash) {
    if (hash.matches("\\$2[aby]\\$\\d\\d\\$.*") && hash.length() == BCRYPT_LENGTH) {
      return Integer.parseInt(hash.substring(4, 6)) <= MOST_BCRYPT_COST
          ? Optional.of(bcrypt(hash))
          : Optional.empty();
    }
    if (hash.startsWith("$5$") || hash.startsWith("$6$")) {
      Matcher rounds = ROUNDS.matcher(hash);
      return !rounds.lookingAt() || Long.parseLong(rounds.group(1)) <= MOST_SHA_ROUNDS
          ? Optional.of(shaCrypt(hash))
          : Optional.empty();
    }
    if (hash.startsWith("{SHA}")) {
      try {
        return Optional.of(sha1(Base64.getDecoder().decode(hash.substring("{SHA}".length()))));
      } catch (IllegalArgumentException e) {
        return Optional.empty();
      }
    }
    return Optional.empty();
  }

  private static StoredPassword bcrypt(String hash) {
    byte[] expected = hash.getBytes(StandardCharsets.US_ASCII);
    return new StoredPassword() {
      @Override
      boolean matches(byte[] password) {
        return BCrypt.verifyer(
                BCrypt.Version.VERSION_2Y,
                // As everybody else's: only the first 72 bytes count.
                LongPasswordStrategies.truncate(BCrypt.Version.VERSION_2Y))
            .verify(password, expected)
            .verified;
      }

      @Override
      boolean slow() {
        return true;
      }
    };
  }

  private static StoredPassword shaCrypt(String hash) {
    byte[] expected = hash.getBytes(StandardCharsets.US_ASCII);
    return new StoredPassword() {
      @Override
      boolean matches(byte[] password) {
        // The library wipes the array it is given.
        String actual =
            hash.startsWith("$5$")
                ? Sha2Crypt.sha256Crypt(password.clone(), hash)
                : Sha2Crypt.sha512Crypt(password.clone(), hash);
        return MessageDigest.isEqual(expected, actual.getBytes(StandardCharsets.US_ASCII));
      }

      @Override
      boolean slow() {
        return true;
      }
    };
  }

  private static StoredPassword sha1(byte[] expected) {
    return new StoredPassword() {
      @Override
      boolean matches(byte[] password) {
        return MessageDigest.isEqual(expected, digest("SHA-1", password));
      }

      @Override
      boolean slow() {
        return false;
      }
    };
  }

  private static byte[] digest(String algorithm, byte[] bytes) {
    try {
      return MessageDigest.getInstance(algorithm).digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
