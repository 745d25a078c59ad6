package org.mezzo.client;

import java.util.Optional;
import javax.net.ssl.SSLContext;
import org.mezzo.protocol.v1.Credential;

/**
 * How to talk to daemons.
 *
 * @param masters where masters may be
 * @param credential for HTTP basic authentication
 * @param tls for https addresses; empty: the default context
 * @param format of calls and answers
 */
public record ClientOptions(
    LeaderLocator masters,
    Optional<Credential> credential,
    Optional<SSLContext> tls,
    Format format) {

  /** The two forms of messages on the wire. */
  public enum Format {
    JSON("application/json"),
    PROTOBUF("application/x-protobuf");

    private final String mediaType;

    Format(String mediaType) {
      this.mediaType = mediaType;
    }

    /** As in Content-Type and Accept. */
    public String mediaType() {
      return mediaType;
    }
  }

  /** Without authentication, in protobuf. */
  public static ClientOptions of(LeaderLocator masters) {
    return new ClientOptions(masters, Optional.empty(), Optional.empty(), Format.PROTOBUF);
  }

  /** The same with a credential. */
  public ClientOptions with(Credential credential) {
    return new ClientOptions(masters, Optional.of(credential), tls, format);
  }

  /** The same with another format. */
  public ClientOptions with(Format format) {
    return new ClientOptions(masters, credential, tls, format);
  }

  /** The same with a TLS context. */
  public ClientOptions with(SSLContext tls) {
    return new ClientOptions(masters, credential, Optional.of(tls), format);
  }
}
