package org.mezzo.daemon.calls;

import com.google.protobuf.Message;
import java.util.List;
import java.util.Optional;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.CallHelp;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Permission;
import org.mezzo.http.HttpExchange;

/**
 * An API of calls as an endpoint of a router: how its requests are read, and the table of its
 * calls. Safe for any thread.
 *
 * @param <C> the call message of the API
 */
public final class CallApi<C extends Message> implements ApiEndpoint {
  /** What such an endpoint declares: each call declares its own. */
  public static final Permission<HttpExchange> PERMISSION =
      Permission.none("each call asks for its own");

  private final EndpointDeclaration declaration;
  private final CallEndpoint<C> reader;
  private final CallTable<C> table;

  /**
   * An API.
   *
   * @param reader hands its calls to the table
   */
  public CallApi(EndpointDeclaration declaration, CallEndpoint<C> reader, CallTable<C> table) {
    this.declaration = declaration;
    this.reader = reader;
    this.table = table;
  }

  @Override
  public EndpointDeclaration declaration() {
    return declaration;
  }

  @Override
  public List<CallHelp> calls() {
    return table.help();
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Exception {
    reader.handle(exchange, principal);
  }
}
