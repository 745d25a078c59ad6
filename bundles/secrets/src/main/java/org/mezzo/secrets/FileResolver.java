package org.mezzo.secrets;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Pattern;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.secret.SecretResolver;
import org.mezzo.protocol.v1.Secret;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Reads the secrets that tasks refer to from files of the agent's machine: {@code name} below the
 * folder that the parameter {@code directory} names, or {@code name/key} of references with a key.
 * The whole file is the secret. Links are followed as long as they stay below the folder. It is
 * read anew for each container, so that a secret can be changed at any time. Secrets that come with
 * their value are taken as they are.
 */
@Component(service = SecretResolver.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = SecretResolver.KIND,
    name = "file",
    version = "0.1.0",
    author = "Mezzo",
    description = "reads secrets from files below a folder")
public final class FileResolver implements SecretResolver {
  private static final String DIRECTORY = "directory";

  /** One name of a file that is no way to another folder. */
  private static final Pattern PLAIN = Pattern.compile("(?!\\.\\.?$)[^/\0]{1,255}");

  /** More is no variable: the kernel takes 128 KiB of one. */
  static final int MOST_BYTES = 128 * 1024;

  private Path directory = Path.of("/");

  /**
   * Takes the folder.
   *
   * @throws IllegalArgumentException when it is missing, or no absolute path
   */
  @Override
  public void open(DaemonContext context) {
    for (Map.Entry<String, String> parameter : context.parameters().entrySet()) {
      if (!parameter.getKey().equals(DIRECTORY)) {
        throw new IllegalArgumentException(
            "there is no parameter '" + parameter.getKey() + "'; there is '" + DIRECTORY + "'");
      }
    }
    String text = context.parameters().get(DIRECTORY);
    if (text == null || !Path.of(text).isAbsolute()) {
      throw new IllegalArgumentException(
          "the parameter '"
              + DIRECTORY
              + "' is "
              + (text == null ? "missing" : "'" + text + "'")
              + "; give the absolute path of the folder that secrets are in");
    }
    directory = Path.of(text);
  }

  @Override
  public Secret.Value resolve(Secret secret) throws IOException {
    if (!secret.hasReference()) {
      return DefaultResolver.value(secret);
    }
    Secret.Reference reference = secret.getReference();
    Path file = directory.resolve(plain("name", reference.getName()));
    if (reference.hasKey()) {
      file = file.resolve(plain("key", reference.getKey()));
    }
    return Secret.Value.newBuilder().setData(read(reference, file)).build();
  }

  private static String plain(String field, String text) throws IOException {
    if (!PLAIN.matcher(text).matches()) {
      throw new IOException(
          "`reference."
              + field
              + "` must be the name of a file, without '/'; it is '"
              + text
              + "'");
    }
    return text;
  }

  private ByteString read(Secret.Reference reference, Path named) throws IOException {
    String name =
        "secret '"
            + reference.getName()
            + "'"
            + (reference.hasKey() ? " with key '" + reference.getKey() + "'" : "");
    Path file;
    try {
      file = named.toRealPath();
    } catch (NoSuchFileException e) {
      throw new IOException(name + " is not there; put it below the agent's folder of secrets", e);
    }
    if (!file.startsWith(directory.toRealPath())) {
      throw new IOException(name + " is a link that leads out of the folder of secrets");
    }
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      throw new IOException(
          name + " is no file" + (Files.isDirectory(file) ? "; name one in it by `key`" : ""));
    }
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
      bytes = in.readNBytes(MOST_BYTES + 1);
    } catch (IOException e) {
      throw new IOException(name + " cannot be read: " + e.getClass().getSimpleName(), e);
    }
    if (bytes.length > MOST_BYTES) {
      throw new IOException(name + " has more than " + MOST_BYTES + " bytes");
    }
    return ByteString.copyFrom(bytes);
  }
}
