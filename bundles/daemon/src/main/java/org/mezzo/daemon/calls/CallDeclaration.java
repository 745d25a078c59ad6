package org.mezzo.daemon.calls;

import com.google.protobuf.Message;
import com.google.protobuf.ProtocolMessageEnum;
import java.util.Optional;
import org.mezzo.daemon.border.Permission;

/**
 * What there is to know of a call before it comes. Immutable.
 *
 * @param type the value of the call's {@code type} field
 * @param message the field that the call cannot do without; empty when it needs none
 * @param permission whose leave it needs
 * @param help what it does, in a sentence
 * @param <C> the call message of the API
 */
public record CallDeclaration<C extends Message>(
    ProtocolMessageEnum type, Optional<String> message, Permission<C> permission, String help) {

  /** A call without a message of its own. */
  public static <C extends Message> CallDeclaration<C> of(
      ProtocolMessageEnum type, Permission<C> permission, String help) {
    return new CallDeclaration<>(type, Optional.empty(), permission, help);
  }

  /** The same call, which has to carry this field. */
  public CallDeclaration<C> carrying(String field) {
    return new CallDeclaration<>(type, Optional.of(field), permission, help);
  }

  /** The name of the type, as clients write it. */
  public String name() {
    return type.getValueDescriptor().getName();
  }
}
