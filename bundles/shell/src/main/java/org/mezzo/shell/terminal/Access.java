package org.mezzo.shell.terminal;

import java.util.Locale;
import java.util.Optional;

/** What somebody may do in a shell; each includes those before it. */
public enum Access {
  /** Look. */
  VIEW,
  /** Change which of the installed modules are used. */
  OPERATE,
  /** Everything that the user of the process may. */
  ADMINISTER;

  /** By the word that stands in front of keys. */
  static Optional<Access> of(String word) {
    for (Access access : values()) {
      if (access.word().equals(word)) {
        return Optional.of(access);
      }
    }
    return Optional.empty();
  }

  /** What operators write. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether who has this may do what needs that. */
  public boolean includes(Access needed) {
    return compareTo(needed) >= 0;
  }
}
