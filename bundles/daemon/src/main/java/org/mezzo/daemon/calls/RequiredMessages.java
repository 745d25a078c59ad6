package org.mezzo.daemon.calls;

import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * Calls come with the message of their own: {@code READ_FILE} with {@code read_file}, whether it is
 * served or not (rule 6). Types for which the call has no such field need none.
 */
public final class RequiredMessages {
  private RequiredMessages() {}

  /**
   * What a call lacks.
   *
   * @param call a message with an enum field {@code type}
   * @param optional names of the types whose message may be left out
   * @return as {@link CallEndpoint#validate} wants it, empty when nothing is missing
   */
  public static Optional<String> missing(Message call, Set<String> optional) {
    FieldDescriptor type = call.getDescriptorForType().findFieldByName("type");
    if (!call.hasField(type)) {
      return absent("type");
    }
    String name = ((EnumValueDescriptor) call.getField(type)).getName();
    FieldDescriptor own =
        call.getDescriptorForType().findFieldByName(name.toLowerCase(Locale.ROOT));
    return own == null || optional.contains(name) || call.hasField(own)
        ? Optional.empty()
        : absent(own.getName());
  }

  /** What is said of a field that is not there. */
  public static Optional<String> absent(String field) {
    return Optional.of("Expecting '" + field + "' to be present");
  }
}
