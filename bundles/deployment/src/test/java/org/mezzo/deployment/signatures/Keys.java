package org.mezzo.deployment.signatures;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.KeyStore.PrivateKeyEntry;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipFile;
import jdk.security.jarsigner.JarSigner;

/** Makes keys and trust stores with the JDK's tools, and signs jars with them. */
public final class Keys {
  private static final String PASSWORD = "changeit";

  private final Path store;

  /**
   * No keys yet.
   *
   * @param dir for a file with them
   */
  public Keys(Path dir) {
    store = dir.resolve("keys.p12");
  }

  /** Makes a key with a certificate; more arguments of keytool say what is special about it. */
  public Keys with(String name, String... more) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keystore",
                store.toString(),
                "-storepass",
                PASSWORD,
                "-alias",
                name,
                "-dname",
                "CN=" + name,
                "-keyalg",
                "EC"));
    command.addAll(List.of(more));
    Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!keytool.waitFor(60, TimeUnit.SECONDS) || keytool.exitValue() != 0) {
      throw new IOException("keytool: " + said);
    }
    return this;
  }

  private KeyStore keys() throws GeneralSecurityException, IOException {
    return KeyStore.getInstance(store.toFile(), PASSWORD.toCharArray());
  }

  private X509Certificate certificate(String name) throws GeneralSecurityException, IOException {
    return (X509Certificate) keys().getCertificate(name);
  }

  /** A signed copy of a jar. */
  public Path sign(Path jar, String name, Path target) throws Exception {
    PrivateKeyEntry key =
        (PrivateKeyEntry)
            keys().getEntry(name, new KeyStore.PasswordProtection(PASSWORD.toCharArray()));
    try (ZipFile unsigned = new ZipFile(jar.toFile());
        OutputStream out = Files.newOutputStream(target)) {
      new JarSigner.Builder(key).build().sign(unsigned, out);
    }
    return target;
  }

  /** A store that trusts some. */
  public Path trust(Path target, String type, String password, String... names) throws Exception {
    KeyStore trusted = KeyStore.getInstance(type);
    trusted.load(null, null);
    for (String name : names) {
      trusted.setCertificateEntry(name, certificate(name));
    }
    try (OutputStream out = Files.newOutputStream(target)) {
      trusted.store(out, password.toCharArray());
    }
    return target;
  }

  /** A file with the certificates of some. */
  public Path pem(Path target, String... names) throws Exception {
    StringBuilder text = new StringBuilder();
    for (String name : names) {
      text.append("-----BEGIN CERTIFICATE-----\n")
          .append(Base64.getMimeEncoder().encodeToString(certificate(name).getEncoded()))
          .append("\n-----END CERTIFICATE-----\n");
    }
    return Files.writeString(target, text);
  }
}
