package org.mezzo.deployment.signatures;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.testing.bundles.ModuleBundle;

/** Whose jars are taken, and what is said of the others. */
@Timeout(120)
final class TrustedSignersTest {
  @TempDir static Path dir;
  private static Keys keys;
  private static Path unsigned;

  @BeforeAll
  static void makeKeys() throws Exception {
    keys =
        new Keys(dir)
            .with("authority", "-ext", "bc=ca:true")
            .with("vouched", "-signer", "authority")
            .with("tls", "-signer", "authority", "-ext", "eku=serverAuth")
            .with("former", "-startdate", "-3d", "-validity", "1")
            .with("stranger");
    unsigned =
        ModuleBundle.of("greeter", "1.0.0")
            .with("a/greeting", "hello")
            .with("META-INF/services/a.b", "c")
            .build(dir.resolve("unsigned.jar"));
  }

  private static Path signedBy(String name) throws Exception {
    return keys.sign(unsigned, name, dir.resolve(name + ".jar"));
  }

  private static TrustedSigners trusting(String... names) throws Exception {
    return TrustedSigners.read(
        keys.trust(dir.resolve("trust.p12"), "PKCS12", "changeit", names), Optional.empty());
  }

  private static Optional<String> objection(TrustedSigners trusted, Path jar) throws Exception {
    return trusted.objection(jar, new Date(), false);
  }

  @Test
  void takesWhatSomebodyTrustedSignedAndWhatWhoIsTrustedVouchesFor() throws Exception {
    assertThat(objection(trusting("stranger", "vouched"), signedBy("vouched"))).isEmpty();
    assertThat(objection(trusting("authority"), signedBy("vouched"))).isEmpty();
    assertThat(objection(trusting("authority"), signedBy("authority"))).isEmpty();
  }

  @Test
  void refusesWhatNobodyOrSomebodyElseSigned() throws Exception {
    assertThat(objection(trusting("authority"), unsigned).orElseThrow())
        .isEqualTo(
            "it is not signed, and this host runs signed modules only; sign it with jarsigner");
    assertThat(objection(trusting("authority"), signedBy("stranger")).orElseThrow())
        .isEqualTo("it is signed by CN=stranger, whom nobody in --module_trust_store vouches for");
    assertThat(objection(trusting("stranger"), signedBy("vouched"))).isPresent();
    assertThat(objection(trusting("authority"), signedBy("tls")).orElseThrow())
        .isEqualTo("it is signed by CN=tls, whose certificate is not for signing code");
    Path both = keys.sign(signedBy("stranger"), "vouched", dir.resolve("both.jar"));
    assertThat(objection(trusting("authority"), both)).as("one of two is enough").isEmpty();
  }

  @Test
  void anExpiredCertificateAdmitsNothingThatIsNew() throws Exception {
    TrustedSigners trusted = trusting("former");
    assertThat(objection(trusted, signedBy("former")).orElseThrow())
        .contains("it is signed by CN=former, whose certificate is not valid now");
    assertThat(trusted.objection(signedBy("former"), new Date(), true)).isEmpty();
    assertThat(trusting("stranger").objection(signedBy("former"), new Date(), true)).isPresent();
    Date before = new Date(System.currentTimeMillis() - 1000L * 3600 * 24 * 30);
    assertThat(trusting("authority").objection(signedBy("vouched"), before, false).orElseThrow())
        .contains("not valid now");
  }

  private static Map<String, byte[]> entries(Path jar) throws Exception {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      for (ZipEntry entry : Collections.list(zip.entries())) {
        entries.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
      }
    }
    return entries;
  }

  private static Path write(Map<String, byte[]> entries) throws Exception {
    Path jar = dir.resolve("altered.jar");
    try (OutputStream out = Files.newOutputStream(jar);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        zip.putNextEntry(new ZipEntry(entry.getKey()));
        zip.write(entry.getValue());
        zip.closeEntry();
      }
    }
    return jar;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void refusesWhatWasAlteredAfterItWasSigned() throws Exception {
    TrustedSigners trusted = trusting("authority");
    Map<String, byte[]> signed = entries(signedBy("vouched"));
    assertThat(objection(trusted, write(signed))).isEmpty();

    Map<String, byte[]> altered = new LinkedHashMap<>(signed);
    altered.put("a/greeting", bytes("good bye"));
    assertThat(objection(trusted, write(altered)).orElseThrow())
        .contains("what was signed of it was altered (")
        .contains("a/greeting");

    altered = new LinkedHashMap<>(signed);
    altered.put("a/more", bytes("x"));
    assertThat(objection(trusted, write(altered)).orElseThrow())
        .isEqualTo("its entry a/more is not signed; sign the jar when it is complete");
    altered.remove("a/more");
    altered.put("META-INF/versions/9/a/greeting", bytes("x"));
    assertThat(objection(trusted, write(altered))).isPresent();

    altered = new LinkedHashMap<>(signed);
    altered.remove("a/greeting");
    assertThat(objection(trusted, write(altered)).orElseThrow())
        .isEqualTo("its entry a/greeting was taken out after it was signed");

    altered = new LinkedHashMap<>(signed);
    altered.computeIfPresent(
        "META-INF/MANIFEST.MF",
        (name, manifest) ->
            bytes(
                new String(manifest, StandardCharsets.UTF_8)
                    .replace("Bundle-Version: 1.0.0", "Bundle-Version: 9.0.0")));
    assertThat(objection(trusted, write(altered)).orElseThrow())
        .contains("what was signed of it was altered (")
        .contains("Manifest main attributes");
  }

  @Test
  void readsTrustStoresOfEachFormAndSaysWhatIsWrongWithOthers() throws Exception {
    Path jar = signedBy("vouched");
    Path jks = keys.trust(dir.resolve("trust.jks"), "JKS", "secret", "authority");
    Path password = Files.writeString(dir.resolve("password"), "secret\n");
    assertThat(objection(TrustedSigners.read(jks, Optional.of(password)), jar)).isEmpty();
    Path pem = keys.pem(dir.resolve("trust.pem"), "stranger", "authority");
    assertThat(objection(TrustedSigners.read(pem, Optional.empty()), jar)).isEmpty();

    assertThatThrownBy(() -> TrustedSigners.read(jks, Optional.empty()))
        .hasMessageContaining(jks + " is not opened by its password, or is damaged");
    Path none = keys.trust(dir.resolve("none.p12"), "PKCS12", "changeit");
    assertThatThrownBy(() -> TrustedSigners.read(none, Optional.empty()))
        .hasMessageContaining("has no certificate of somebody who is trusted")
        .hasMessageContaining("keytool -importcert");
    Path text = Files.writeString(dir.resolve("text"), "no store");
    assertThatThrownBy(() -> TrustedSigners.read(text, Optional.empty()))
        .hasMessageContaining("is no trust store");
    assertThatThrownBy(() -> TrustedSigners.read(dir.resolve("absent"), Optional.empty()))
        .isInstanceOf(java.io.IOException.class);
  }
}
