package org.mezzo.daemon.calls;

import com.google.protobuf.Message;
import com.google.protobuf.ProtocolMessageEnum;
import org.mezzo.daemon.border.Permission;

/**
 * A call that is known to an API and not served by this version: answered with 501 (rule 11), or
 * with 400 when it lacks its message, so that a client hears first what is wrong with it (rule 6).
 *
 * @param <C> the call message of the API
 */
public record NotServed<C extends Message>(CallDeclaration<C> declaration) implements ApiCall<C> {

  /** A call without a message of its own, or that can do without it. */
  public static <C extends Message> NotServed<C> of(ProtocolMessageEnum type) {
    return new NotServed<>(
        CallDeclaration.of(
            type, Permission.none("it does nothing"), "Not served by this version."));
  }

  /** A call that has to carry this field. */
  public static <C extends Message> NotServed<C> of(ProtocolMessageEnum type, String field) {
    return new NotServed<>(NotServed.<C>of(type).declaration.carrying(field));
  }

  @Override
  public void handle(C call, CallExchange exchange) {
    exchange.notServed(declaration.name());
  }
}
