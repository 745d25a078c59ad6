package org.mezzo.driver.sessions;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.mezzo.driver.wire.MessageReader;

/** What drivers take from the machine and the process they are in. */
public final class Environment {
  private static final Logger LOG = Logger.getLogger(Environment.class.getName());

  private Environment() {}

  /** Says of what was meant for libprocess that it means nothing here. */
  public static void tellIgnored(Map<String, String> environment) {
    for (String name : new TreeMap<>(environment).keySet()) {
      if (name.startsWith("LIBPROCESS_") && !name.startsWith("LIBPROCESS_SSL_")) {
        LOG.log(
            Level.INFO,
            "{0} is ignored: this driver opens no port, nobody connects back to it",
            name);
      }
    }
  }

  public static String user() {
    return System.getProperty("user.name", "");
  }

  public static String hostname() {
    try {
      return InetAddress.getLocalHost().getCanonicalHostName();
    } catch (UnknownHostException e) {
      return "localhost";
    }
  }

  /**
   * The header by which a framework says who it is (RFC 7617).
   *
   * @param credential an encoded {@code Credential}, whose secret may be of bytes or text
   * @throws IOException when it is no message
   */
  public static Map<String, String> authorization(byte[] credential) throws IOException {
    MessageReader read = new MessageReader(credential);
    String userPass = read.text(1).orElse("") + ":" + read.text(2).orElse("");
    return Collections.singletonMap(
        "Authorization",
        "Basic " + Base64.getEncoder().encodeToString(userPass.getBytes(StandardCharsets.UTF_8)));
  }
}
