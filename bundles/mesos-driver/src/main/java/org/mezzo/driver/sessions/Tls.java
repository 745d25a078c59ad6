package org.mezzo.driver.sessions;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/**
 * How connections are secured: as the {@code LIBPROCESS_SSL_*} variables of the environment say,
 * and where they say nothing as Java's own {@code javax.net.ssl.*} properties do. Certificates of
 * masters are verified unless {@code LIBPROCESS_SSL_VERIFY_SERVER_CERT} or {@code
 * LIBPROCESS_SSL_VERIFY_CERT} is {@code false}; libprocess verifies none unless asked to.
 */
public final class Tls {
  private final boolean enabled;
  private final boolean verified;
  private final SSLSocketFactory sockets;

  private Tls(boolean enabled, boolean verified, SSLSocketFactory sockets) {
    this.enabled = enabled;
    this.verified = verified;
    this.sockets = sockets;
  }

  /**
   * @throws IllegalArgumentException when a file that a variable names cannot be used; the message
   *     names the variable
   */
  public static Tls of(Map<String, String> environment) {
    boolean enabled = on(environment, "ENABLED", false);
    boolean verified = on(environment, "VERIFY_SERVER_CERT", on(environment, "VERIFY_CERT", true));
    Optional<String> authorities = variable(environment, "CA_FILE");
    Optional<String> certificate = variable(environment, "CERT_FILE");
    Optional<String> key = variable(environment, "KEY_FILE");
    if (verified && !authorities.isPresent() && !certificate.isPresent() && !key.isPresent()) {
      return new Tls(enabled, true, (SSLSocketFactory) SSLSocketFactory.getDefault());
    }
    try {
      TrustManager[] trusted = null;
      if (!verified) {
        trusted = new TrustManager[] {new Everybody()};
      } else if (authorities.isPresent()) {
        trusted = trusted(authorities.get());
      }
      KeyManager[] own = null;
      if (certificate.isPresent() && key.isPresent()) {
        own = own(certificate.get(), key.get());
      }
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(own, trusted, null);
      return new Tls(enabled, verified, context.getSocketFactory());
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalArgumentException(
          "TLS cannot be set up as LIBPROCESS_SSL_CA_FILE, _CERT_FILE and _KEY_FILE say: " + e, e);
    }
  }

  private static Optional<String> variable(Map<String, String> environment, String name) {
    return Optional.ofNullable(environment.get("LIBPROCESS_SSL_" + name))
        .filter(it -> !it.isEmpty());
  }

  private static boolean on(Map<String, String> environment, String name, boolean otherwise) {
    return variable(environment, name)
        .map(it -> it.equals("1") || it.equalsIgnoreCase("true"))
        .orElse(otherwise);
  }

  private static Collection<? extends Certificate> certificates(String file)
      throws GeneralSecurityException, IOException {
    try (InputStream in = Files.newInputStream(Paths.get(file))) {
      Collection<? extends Certificate> found =
          CertificateFactory.getInstance("X.509").generateCertificates(in);
      if (found.isEmpty()) {
        throw new IOException(file + " holds no certificate");
      }
      return found;
    }
  }

  private static KeyStore empty() throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    return store;
  }

  private static TrustManager[] trusted(String file) throws GeneralSecurityException, IOException {
    KeyStore store = empty();
    int number = 0;
    for (Certificate each : certificates(file)) {
      store.setCertificateEntry("authority-" + number++, each);
    }
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return factory.getTrustManagers();
  }

  private static KeyManager[] own(String certificate, String key)
      throws GeneralSecurityException, IOException {
    KeyStore store = empty();
    char[] password = new char[0];
    store.setKeyEntry(
        "framework",
        key(Paths.get(key)),
        password,
        certificates(certificate).toArray(new Certificate[0]));
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(store, password);
    return factory.getKeyManagers();
  }

  private static PrivateKey key(Path file) throws GeneralSecurityException, IOException {
    String pem = new String(Files.readAllBytes(file), StandardCharsets.US_ASCII);
    String begin = "-----BEGIN PRIVATE KEY-----";
    int from = pem.indexOf(begin);
    int to = pem.indexOf("-----END PRIVATE KEY-----");
    if (from < 0 || to < from) {
      throw new IOException(
          file
              + " holds no unencrypted key in the form of PKCS #8; make it one with 'openssl pkcs8"
              + " -topk8 -nocrypt -in "
              + file
              + "'");
    }
    PKCS8EncodedKeySpec encoded =
        new PKCS8EncodedKeySpec(
            Base64.getMimeDecoder().decode(pem.substring(from + begin.length(), to)));
    for (String algorithm : new String[] {"RSA", "EC"}) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(encoded);
      } catch (InvalidKeySpecException e) {
        // Of the other one, then.
      }
    }
    throw new IOException(file + " holds a key of another kind than RSA and EC");
  }

  /** The scheme of masters that are named without one. */
  public String scheme() {
    return enabled ? "https" : "http";
  }

  /** What can be done about a connection that failed so; empty when that is not known. */
  static String remedy(IOException failure) {
    return failure instanceof SSLHandshakeException
        ? ". Who is to be trusted is said by LIBPROCESS_SSL_CA_FILE or javax.net.ssl.trustStore;"
            + " LIBPROCESS_SSL_VERIFY_SERVER_CERT=false takes any certificate"
        : "";
  }

  SSLSocket secure(Socket plain, String host, int port) throws IOException {
    SSLSocket secured = (SSLSocket) sockets.createSocket(plain, host, port, true);
    if (verified) {
      SSLParameters parameters = secured.getSSLParameters();
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      secured.setSSLParameters(parameters);
    }
    return secured;
  }

  /** For those who have asked not to verify. */
  private static final class Everybody implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {
      // Asked for.
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {
      // Asked for.
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
