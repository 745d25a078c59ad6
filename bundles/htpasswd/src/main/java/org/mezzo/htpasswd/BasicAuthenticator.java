package org.mezzo.htpasswd;

import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.api.authentication.Principal;
import org.mezzo.htpasswd.PasswordFile.Passwords;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * HTTP basic authentication against files of names and passwords: the one that the flag {@code
 * credentials} names (on an agent {@code http_credentials}; rule 356), and the one of the module
 * parameter {@code htpasswd_file}, with hashes by bcrypt (htpasswd -B), SHA-crypt ({@code $5$},
 * {@code $6$}) or {@code {SHA}}. A name that is in both has the password of the first. Without any
 * file everybody is refused. Files are read again when they change.
 */
@Component(service = HttpAuthenticator.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = HttpAuthenticator.KIND,
    name = "basic",
    version = "0.1.0",
    author = "Mezzo",
    description = "HTTP basic authentication against a password file",
    flags = {"credentials", "http_credentials"})
public final class BasicAuthenticator implements HttpAuthenticator {
  private static final Logger LOG = LoggerFactory.getLogger(BasicAuthenticator.class);
  private static final Pattern PADDING = Pattern.compile("[= ]*$");
  private static final int MOST_REMEMBERED = 1000;
  private static final String PARAMETER = "htpasswd_file";
  private static final Result WRONG = Result.refused("unknown principal or wrong password");

  private final SecretKeySpec key;
  private final StoredPassword nobody;

  /** Slow passwords that were right, by what was compared; the values say with which. */
  private final Map<String, StoredPassword> remembered =
      new LinkedHashMap<>(64, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, StoredPassword> eldest) {
          return size() > MOST_REMEMBERED;
        }
      };

  private List<PasswordFile> files = List.of();

  /** Makes its own random key; nothing of it survives the instance. */
  public BasicAuthenticator() {
    byte[] random = new byte[32];
    new SecureRandom().nextBytes(random);
    key = new SecretKeySpec(random, "HmacSHA256");
    nobody = StoredPassword.plain(HexFormat.of().formatHex(random));
  }

  @Override
  public void open(DaemonContext context) {
    String flag = context.role() == DaemonContext.Role.MASTER ? "credentials" : "http_credentials";
    List<PasswordFile> named = new ArrayList<>();
    String credentials = context.flags().getOrDefault(flag, "");
    if (!credentials.isBlank()) {
      named.add(new PasswordFile(path(credentials), PasswordFile.Format.CREDENTIALS));
    }
    String htpasswd = context.parameters().getOrDefault(PARAMETER, "");
    if (!htpasswd.isBlank()) {
      named.add(new PasswordFile(path(htpasswd), PasswordFile.Format.HTPASSWD));
    }
    if (named.isEmpty()) {
      LOG.error(
          "Everybody is refused: {} demands authentication and has no passwords. Start it with"
              + " --{}=FILE (a principal, a blank and a secret per line), or give module 'basic'"
              + " in --modules the parameter '{}', a file made with htpasswd -B",
          context.daemon(),
          flag,
          PARAMETER);
    }
    named.forEach(PasswordFile::read);
    files = List.copyOf(named);
  }

  private static Path path(String text) {
    return text.startsWith("file://") ? Path.of(URI.create(text).getPath()) : Path.of(text);
  }

  @Override
  public String scheme() {
    return "Basic";
  }

  @Override
  public Result authenticate(Request request) throws Exception {
    List<String> headers = request.headers().getOrDefault("authorization", List.of());
    if (headers.isEmpty()) {
      return Result.refused("no Authorization header");
    }
    if (headers.size() > 1) {
      return Result.refused("more than one Authorization header");
    }
    String[] words = headers.get(0).strip().split(" +", 2);
    if (words.length != 2 || !words[0].equalsIgnoreCase("Basic")) {
      return Result.refused("the Authorization header is not of scheme Basic");
    }
    String text;
    try {
      // The decoder needs no padding and takes none that is surplus, which some clients send.
      byte[] decoded = Base64.getDecoder().decode(PADDING.matcher(words[1]).replaceFirst(""));
      // Unlike String, a new decoder refuses what is not UTF-8.
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(decoded)).toString();
    } catch (IllegalArgumentException e) {
      return Result.refused("the Authorization header is not in base64");
    } catch (CharacterCodingException e) {
      return Result.refused("the Authorization header is not in UTF-8");
    }
    int colon = text.indexOf(':');
    if (colon < 0) {
      return Result.refused("the Authorization header has no ':' between name and password");
    }
    String name = text.substring(0, colon);
    String password = text.substring(colon + 1);
    if (name.isEmpty() || password.isEmpty()) {
      return Result.refused("the name or the password is empty");
    }
    return judge(name, password.getBytes(StandardCharsets.UTF_8));
  }

  private Result judge(String name, byte[] password) throws GeneralSecurityException {
    StoredPassword stored = null;
    StoredPassword slowest = nobody;
    for (PasswordFile file : files) {
      Passwords passwords = file.read();
      StoredPassword found = passwords.byName().get(name);
      if (stored == null) {
        stored = found;
      }
      if (!slowest.slow()) {
        slowest =
            passwords.byName().values().stream()
                .filter(StoredPassword::slow)
                .findFirst()
                .orElse(slowest);
      }
    }
    if (stored == null) {
      // An unknown name takes as long as a known one: time must not tell which names exist.
      slowest.matches(password);
      return WRONG;
    }
    if (!stored.slow()) {
      return stored.matches(password) ? Result.of(Principal.named(name)) : WRONG;
    }
    String compared = name + " " + mac(password);
    synchronized (remembered) {
      if (remembered.get(compared) == stored) {
        return Result.of(Principal.named(name));
      }
    }
    if (!stored.matches(password)) {
      return WRONG;
    }
    synchronized (remembered) {
      remembered.put(compared, stored);
    }
    return Result.of(Principal.named(name));
  }

  private String mac(byte[] password) throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(key);
    return HexFormat.of().formatHex(mac.doFinal(password));
  }

  @Override
  public void close() {
    synchronized (remembered) {
      remembered.clear();
    }
  }
}
