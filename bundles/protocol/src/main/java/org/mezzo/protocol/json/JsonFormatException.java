package org.mezzo.protocol.json;

import java.io.IOException;

/** A JSON text that is not the message it should be. The message says where and what. */
public final class JsonFormatException extends IOException {
  private static final long serialVersionUID = 1L;

  /** What is wrong. */
  public enum Kind {
    SYNTAX,
    CONVERSION,
    MISSING
  }

  private final Kind kind;

  public JsonFormatException(Kind kind, String message) {
    super(message);
    this.kind = kind;
  }

  public Kind kind() {
    return kind;
  }
}
