package org.mezzo.secrets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.api.secret.SecretResolver;
import org.mezzo.protocol.v1.Secret;
import org.mezzo.testing.FakeDaemonContext;

class ResolversTest {
  @TempDir private Path folder;

  private static Secret value(String text) {
    return Secret.newBuilder()
        .setType(Secret.Type.VALUE)
        .setValue(Secret.Value.newBuilder().setData(ByteString.copyFromUtf8(text)))
        .build();
  }

  private static Secret reference(String name, String key) {
    Secret.Reference.Builder reference = Secret.Reference.newBuilder().setName(name);
    if (!key.isEmpty()) {
      reference.setKey(key);
    }
    return Secret.newBuilder().setType(Secret.Type.REFERENCE).setReference(reference).build();
  }

  private SecretResolver files() throws Exception {
    SecretResolver resolver = new FileResolver();
    resolver.open(FakeDaemonContext.agent().withParameters(Map.of("directory", folder.toString())));
    return resolver;
  }

  private static String text(SecretResolver resolver, Secret secret) throws Exception {
    return resolver.resolve(secret).getData().toStringUtf8();
  }

  @Test
  void valuesAreTakenAsTheyAre() throws Exception {
    assertThat(text(new DefaultResolver(), value("s3cret"))).isEqualTo("s3cret");
    assertThat(text(files(), value("s3cret"))).isEqualTo("s3cret");
  }

  @Test
  void theDefaultKnowsNoReference() {
    assertThatThrownBy(() -> new DefaultResolver().resolve(reference("db", "")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("'db'")
        .hasMessageContaining("--secret_resolver");
    assertThatThrownBy(() -> new DefaultResolver().resolve(Secret.getDefaultInstance()))
        .hasMessageContaining("`value`");
  }

  @Test
  void aFileIsASecretAsItIsAndAtAnyTime() throws Exception {
    Files.writeString(folder.resolve("token"), "a\n");
    Path db = Files.createDirectory(folder.resolve("db"));
    Files.writeString(db.resolve("v1"), "one");
    Files.createSymbolicLink(db.resolve("password"), Path.of("v1"));
    SecretResolver resolver = files();
    assertThat(text(resolver, reference("token", ""))).isEqualTo("a\n");
    assertThat(text(resolver, reference("db", "password"))).isEqualTo("one");
    Files.writeString(db.resolve("v1"), "two");
    assertThat(text(resolver, reference("db", "password"))).isEqualTo("two");
  }

  @ParameterizedTest
  @ValueSource(strings = {"..", ".", "a/b", "/etc/passwd", "../x"})
  void aNameIsNoPath(String name) throws Exception {
    SecretResolver resolver = files();
    assertThatThrownBy(() -> resolver.resolve(reference(name, "")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("reference.name");
    assertThatThrownBy(() -> resolver.resolve(reference("db", name)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("reference.key");
  }

  @Test
  void whatIsNoFileBelowTheFolderIsNone(@TempDir Path outside) throws Exception {
    Path other = Files.writeString(outside.resolve("other"), "others' secret");
    Files.createSymbolicLink(folder.resolve("link"), other);
    Files.createDirectory(folder.resolve("db"));
    Files.write(folder.resolve("large"), new byte[FileResolver.MOST_BYTES + 1]);
    SecretResolver resolver = files();
    assertThatThrownBy(() -> resolver.resolve(reference("link", "")))
        .hasMessageContaining("leads out")
        .hasMessageNotContaining("others'");
    assertThatThrownBy(() -> resolver.resolve(reference("gone", "k")))
        .hasMessageContaining("'gone' with key 'k' is not there");
    assertThatThrownBy(() -> resolver.resolve(reference("db", ""))).hasMessageContaining("`key`");
    assertThatThrownBy(() -> resolver.resolve(reference("large", "")))
        .hasMessageContaining(FileResolver.MOST_BYTES + " bytes");
  }

  @Test
  void parametersAreChecked() {
    for (Map<String, String> wrong :
        List.<Map<String, String>>of(
            Map.of(), Map.of("directory", "secrets"), Map.of("folder", "/x"))) {
      FakeDaemonContext context = FakeDaemonContext.agent().withParameters(wrong);
      assertThatThrownBy(() -> new FileResolver().open(context))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("directory");
    }
  }
}
