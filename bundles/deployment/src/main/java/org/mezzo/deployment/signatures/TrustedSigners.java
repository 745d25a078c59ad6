package org.mezzo.deployment.signatures;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSigner;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorException.BasicReason;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXReason;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.Collections;
import java.util.Date;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.regex.Pattern;

/**
 * The certificates of those who may sign module jars, or of whoever vouches for them. Immutable,
 * safe for any thread.
 */
public final class TrustedSigners {
  /** What keytool suggests, and the stores of the JDK have. */
  private static final String USUAL_PASSWORD = "changeit";

  private static final String PEM = "-----BEGIN CERTIFICATE-----";
  private static final String CODE_SIGNING = "1.3.6.1.5.5.7.3.3";
  private static final String ANY_USAGE = "2.5.29.37.0";

  /** The signatures themselves, and what they sign, cannot be signed. */
  private static final Pattern SIGNATURES =
      Pattern.compile("META-INF/(MANIFEST\\.MF|[^/]*\\.(SF|RSA|DSA|EC)|SIG-[^/]*)");

  private final Set<X509Certificate> certificates;

  private TrustedSigners(Set<X509Certificate> certificates) {
    this.certificates = Set.copyOf(certificates);
  }

  /**
   * Reads a trust store.
   *
   * @param store a PKCS12 or JKS store, of which the entries of trusted certificates count, or a
   *     file with certificates in PEM
   * @param password a file with the store's password in its first line; that of the JDK's own
   *     stores, {@code changeit}, where there is none
   * @throws IOException with a message for operators when it cannot be read or trusts nobody
   */
  public static TrustedSigners read(Path store, Optional<Path> password) throws IOException {
    byte[] bytes = Files.readAllBytes(store);
    Set<X509Certificate> certificates = new HashSet<>();
    try {
      if (new String(bytes, StandardCharsets.ISO_8859_1).contains(PEM)) {
        CertificateFactory.getInstance("X.509")
            .generateCertificates(new ByteArrayInputStream(bytes))
            .forEach(certificate -> certificates.add((X509Certificate) certificate));
      } else {
        KeyStore keys = KeyStore.getInstance(store.toFile(), password(password));
        for (String alias : Collections.list(keys.aliases())) {
          if (keys.isCertificateEntry(alias)
              && keys.getCertificate(alias) instanceof X509Certificate certificate) {
            certificates.add(certificate);
          }
        }
      }
    } catch (GeneralSecurityException e) {
      throw new IOException(store + " is no trust store: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new IOException(
          store + " is not opened by its password, or is damaged: " + e.getMessage(), e);
    }
    if (certificates.isEmpty()) {
      throw new IOException(
          store
              + " has no certificate of somebody who is trusted; put one there with keytool"
              + " -importcert");
    }
    return new TrustedSigners(certificates);
  }

  private static char[] password(Optional<Path> file) throws IOException {
    if (file.isEmpty()) {
      return USUAL_PASSWORD.toCharArray();
    }
    return Files.readString(file.get()).lines().findFirst().orElse("").strip().toCharArray();
  }

  /**
   * What speaks against a jar; empty when every entry of it is signed by somebody trusted.
   *
   * @param jar that nobody else can change meanwhile
   * @param at when the signers' certificates have to be valid
   * @param lenient whether certificates that were valid once will do
   * @throws IOException when it is no readable jar
   */
  public Optional<String> objection(Path jar, Date at, boolean lenient) throws IOException {
    try (JarFile file = new JarFile(jar.toFile(), true)) {
      return objection(file, at, lenient);
    } catch (SecurityException e) {
      return Optional.of(
          "what was signed of it was altered ("
              + e.getMessage()
              + "); get it again from who signed it");
    }
  }

  private Optional<String> objection(JarFile jar, Date at, boolean lenient) throws IOException {
    Map<CodeSigner, Optional<String>> known = new HashMap<>();
    Set<String> names = new HashSet<>();
    Set<String> unsigned = new TreeSet<>();
    boolean signed = false;
    for (JarEntry entry : Collections.list(jar.entries())) {
      if (!names.add(entry.getName())) {
        return Optional.of("it has the entry " + entry.getName() + " twice");
      }
      if (entry.isDirectory() || isSignature(entry.getName())) {
        continue;
      }
      try (InputStream in = jar.getInputStream(entry)) {
        in.transferTo(OutputStream.nullOutputStream());
      }
      CodeSigner[] signers = entry.getCodeSigners();
      if (signers == null || signers.length == 0) {
        unsigned.add(entry.getName());
        continue;
      }
      signed = true;
      Optional<String> objection = Optional.of("");
      for (CodeSigner signer : signers) {
        Optional<String> his =
            known.computeIfAbsent(signer, it -> distrust(it.getSignerCertPath(), at, lenient));
        objection = objection.isEmpty() ? objection : his;
      }
      if (objection.isPresent()) {
        return objection;
      }
    }
    if (!signed) {
      return Optional.of(
          "it is not signed, and this host runs signed modules only; sign it with jarsigner");
    }
    if (!unsigned.isEmpty()) {
      return Optional.of(
          "its entry %s is not signed; sign the jar when it is complete"
              .formatted(unsigned.iterator().next()));
    }
    Manifest manifest = jar.getManifest();
    for (String name : new TreeSet<>(manifest.getEntries().keySet())) {
      if (!names.contains(name)) {
        return Optional.of("its entry " + name + " was taken out after it was signed");
      }
    }
    return Optional.empty();
  }

  private static boolean isSignature(String name) {
    return SIGNATURES.matcher(name.toUpperCase(Locale.ROOT)).matches();
  }

  /** Why a signer is not trusted. */
  private Optional<String> distrust(CertPath path, Date now, boolean lenient) {
    List<? extends Certificate> chain = path.getCertificates();
    X509Certificate signer = (X509Certificate) chain.get(0);
    String name = signer.getSubjectX500Principal().getName();
    try {
      List<String> usages = signer.getExtendedKeyUsage();
      if (usages != null && !usages.contains(CODE_SIGNING) && !usages.contains(ANY_USAGE)) {
        return Optional.of(
            "it is signed by %s, whose certificate is not for signing code".formatted(name));
      }
      Date at = lenient ? lastValid(chain, now) : now;
      if (certificates.contains(signer)) {
        signer.checkValidity(at);
      } else {
        validate(path, at);
      }
      return Optional.empty();
    } catch (CertPathValidatorException e) {
      return Optional.of(inWords(name, e));
    } catch (CertificateException e) {
      return Optional.of(
          "it is signed by %s, whose certificate is not valid now: %s"
              .formatted(name, e.getMessage()));
    } catch (GeneralSecurityException e) {
      return Optional.of("it is signed by %s: %s".formatted(name, e.getMessage()));
    }
  }

  /** The last time until now at which none of these had expired. */
  private static Date lastValid(List<? extends Certificate> chain, Date now) {
    Date at = now;
    for (Certificate certificate : chain) {
      Date end = ((X509Certificate) certificate).getNotAfter();
      at = end.before(at) ? end : at;
    }
    return at;
  }

  private void validate(CertPath path, Date at) throws GeneralSecurityException {
    List<? extends Certificate> chain = path.getCertificates();
    int anchor = 0;
    while (anchor < chain.size() && !certificates.contains(chain.get(anchor))) {
      anchor++;
    }
    Set<TrustAnchor> anchors = new HashSet<>();
    certificates.forEach(certificate -> anchors.add(new TrustAnchor(certificate, null)));
    PKIXParameters parameters = new PKIXParameters(anchors);
    parameters.setRevocationEnabled(false);
    parameters.setDate(at);
    CertPathValidator.getInstance("PKIX")
        .validate(
            CertificateFactory.getInstance("X.509").generateCertPath(chain.subList(0, anchor)),
            parameters);
    if (anchor < chain.size()) {
      ((X509Certificate) chain.get(anchor)).checkValidity(at);
    }
  }

  private static String inWords(String name, CertPathValidatorException e) {
    if (e.getReason() == PKIXReason.NO_TRUST_ANCHOR) {
      return "it is signed by %s, whom nobody in --module_trust_store vouches for".formatted(name);
    }
    if (e.getReason() == BasicReason.EXPIRED || e.getReason() == BasicReason.NOT_YET_VALID) {
      return "it is signed by %s, whose certificate, or that of who vouches for it, is not valid now: %s"
          .formatted(name, e.getMessage());
    }
    return "it is signed by %s, whose certificate does not hold: %s"
        .formatted(name, e.getMessage());
  }
}
