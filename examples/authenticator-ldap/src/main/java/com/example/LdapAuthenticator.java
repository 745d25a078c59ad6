package com.example;

import com.unboundid.ldap.sdk.DN;
import com.unboundid.ldap.sdk.LDAPConnectionOptions;
import com.unboundid.ldap.sdk.LDAPConnectionPool;
import com.unboundid.ldap.sdk.LDAPException;
import com.unboundid.ldap.sdk.LDAPURL;
import com.unboundid.ldap.sdk.RDN;
import com.unboundid.ldap.sdk.ResultCode;
import com.unboundid.ldap.sdk.SimpleBindRequest;
import com.unboundid.ldap.sdk.SingleServerSet;
import com.unboundid.ldap.sdk.StartTLSPostConnectProcessor;
import com.unboundid.util.ssl.HostNameSSLSocketVerifier;
import com.unboundid.util.ssl.SSLUtil;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import javax.net.SocketFactory;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Metrics;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.api.authentication.Principal;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * HTTP basic authentication by a directory: whoever can bind as {@code ATTRIBUTE=NAME,BASE} with
 * the password is the principal of that name. Parameters: {@code url}, {@code base}, {@code
 * attribute} ({@code uid} by default) and {@code start_tls} ({@code false}). TLS trusts what the
 * JVM trusts ({@code -Djavax.net.ssl.trustStore}).
 */
@Component(service = HttpAuthenticator.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = HttpAuthenticator.KIND,
    name = "ldap",
    description = "HTTP basic authentication by an LDAP directory")
public final class LdapAuthenticator implements HttpAuthenticator {
  /** As many as calls of an authenticator run at a time. */
  private static final int CONNECTIONS = 16;

  /** Two of them are less than the deadline of a call. */
  private static final int PATIENCE_MILLIS = 2_000;

  /**
   * Directories compare names without regard to case, blanks and forms of letters; who is written
   * otherwise there would be somebody else here. So names are demanded in one form.
   */
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9._@-]{0,63}");

  private static final Result WRONG = Result.refused("unknown principal or wrong password");

  /** What a directory says of a bind that is in order and proves nothing. */
  private static final Set<ResultCode> NO =
      Set.of(
          ResultCode.INVALID_CREDENTIALS,
          ResultCode.NO_SUCH_OBJECT,
          ResultCode.INAPPROPRIATE_AUTHENTICATION,
          ResultCode.UNWILLING_TO_PERFORM,
          ResultCode.CONSTRAINT_VIOLATION);

  private LDAPConnectionPool pool;
  private String attribute;
  private DN base;
  private Metrics.Counter unanswered;
  private volatile String trouble = "";

  @Override
  public void open(DaemonContext context) throws Exception {
    Map<String, String> parameters = context.parameters();
    LDAPURL url;
    try {
      url = new LDAPURL(required(parameters, "url"));
      base = new DN(required(parameters, "base"));
    } catch (LDAPException e) {
      throw new IllegalArgumentException(
          "Parameter 'url' has to be ldap://HOST:PORT or ldaps://HOST:PORT, and 'base' a DN such as"
              + " ou=people,dc=example,dc=org: "
              + e.getMessage());
    }
    attribute = parameters.getOrDefault("attribute", "uid");
    boolean startTls = Boolean.parseBoolean(parameters.getOrDefault("start_tls", "false"));
    boolean tls = url.getScheme().equals("ldaps");
    if (!tls && !startTls && !InetAddress.getByName(url.getHost()).isLoopbackAddress()) {
      throw new IllegalArgumentException(
          "Passwords would cross the network in clear: use ldaps:// in parameter 'url', or set"
              + " 'start_tls' to true");
    }
    unanswered = context.metrics().counter("unanswered");
    // Nothing is connected yet: a directory that is down must not keep a master from its start.
    pool =
        new LDAPConnectionPool(
            new SingleServerSet(
                url.getHost(),
                url.getPort(),
                tls ? new SSLUtil().createSSLSocketFactory() : SocketFactory.getDefault(),
                options(),
                null,
                startTls
                    ? new StartTLSPostConnectProcessor(new SSLUtil().createSSLContext())
                    : null),
            null,
            0,
            CONNECTIONS);
    pool.setMaxWaitTimeMillis(PATIENCE_MILLIS);
    pool.setCreateIfNecessary(false);
  }

  private static String required(Map<String, String> parameters, String name) {
    String value = parameters.getOrDefault(name, "");
    if (value.isBlank()) {
      throw new IllegalArgumentException(
          "Module 'ldap' wants the parameter '" + name + "' in --modules");
    }
    return value;
  }

  private static LDAPConnectionOptions options() {
    LDAPConnectionOptions options = new LDAPConnectionOptions();
    options.setConnectTimeoutMillis(PATIENCE_MILLIS);
    options.setResponseTimeoutMillis(PATIENCE_MILLIS);
    // A connection has one question at a time, so none needs a thread that reads.
    options.setUseSynchronousMode(true);
    options.setFollowReferrals(false);
    // Whoever has some certificate that the JVM trusts is not yet the directory.
    options.setSSLSocketVerifier(new HostNameSSLSocketVerifier(true));
    return options;
  }

  @Override
  public String scheme() {
    return "Basic";
  }

  @Override
  public Result authenticate(Request request) throws Exception {
    List<String> headers = request.headers().getOrDefault("authorization", List.of());
    String[] words = headers.size() == 1 ? headers.get(0).strip().split(" +", 2) : new String[0];
    if (words.length != 2 || !words[0].equalsIgnoreCase("Basic")) {
      return Result.refused("there is not one Authorization header of scheme Basic");
    }
    String pair;
    try {
      pair =
          StandardCharsets.UTF_8
              .newDecoder()
              .decode(ByteBuffer.wrap(Base64.getDecoder().decode(words[1])))
              .toString();
    } catch (IllegalArgumentException | CharacterCodingException e) {
      return Result.refused("the Authorization header is not UTF-8 in base64");
    }
    int colon = pair.indexOf(':');
    // A bind with a name and no password is anonymous, and always succeeds.
    if (colon < 0 || colon == pair.length() - 1) {
      return Result.refused("there is no password");
    }
    String name = pair.substring(0, colon);
    if (!NAME.matcher(name).matches()) {
      return Result.refused("the name is not of small letters, digits and . _ @ -");
    }
    return bind(name, pair.substring(colon + 1)) ? Result.of(Principal.named(name)) : WRONG;
  }

  private boolean bind(String name, String password) throws LDAPException {
    String dn = new DN(new RDN(attribute, name), base).toString();
    try {
      pool.bindAndRevertAuthentication(new SimpleBindRequest(dn, password));
      trouble = "";
      return true;
    } catch (LDAPException e) {
      if (NO.contains(e.getResultCode())) {
        trouble = "";
        return false;
      }
      // Thrown, it refuses the request, and the log says why.
      unanswered.increment();
      trouble = "the directory does not answer: " + e.getResultCode();
      throw e;
    }
  }

  @Override
  public Optional<String> health() {
    return trouble.isEmpty() ? Optional.empty() : Optional.of(trouble);
  }

  @Override
  public void close() {
    if (pool != null) {
      pool.close();
    }
  }
}
