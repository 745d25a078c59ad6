package org.mezzo.checkers;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads status and headers of an answer, as they come. */
final class ResponseHead {
  private static final int MOST = 64 * 1024;
  private static final Pattern STATUS = Pattern.compile("HTTP/[0-9.]+ +([0-9]{3})( .*)?");
  private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);

  private final ByteArrayOutputStream line = new ByteArrayOutputStream(128);
  private int read;
  private int status = -1;
  private String location;
  private boolean complete;

  /**
   * Reads on.
   *
   * @return whether the head is complete; what follows it is left
   * @throws IOException when this is no HTTP, or too long
   */
  boolean read(ByteBuffer bytes) throws IOException {
    while (!complete && bytes.hasRemaining()) {
      byte next = bytes.get();
      if (++read > MOST) {
        throw new IOException("the headers of the answer are longer than " + MOST + " bytes");
      }
      if (next != '\n') {
        line.write(next);
        continue;
      }
      String text = line.toString(StandardCharsets.ISO_8859_1).stripTrailing();
      line.reset();
      if (status < 0) {
        Matcher matcher = STATUS.matcher(text);
        if (!matcher.matches()) {
          throw new IOException("the answer is not HTTP");
        }
        status = Integer.parseInt(matcher.group(1));
      } else if (text.isEmpty()) {
        if (status >= 100 && status < 200) {
          // Only the announcement of an answer.
          status = -1;
          location = null;
        } else {
          complete = true;
        }
      } else if (text.toLowerCase(Locale.ROOT).startsWith("location:")) {
        location = text.substring("location:".length()).strip();
      }
    }
    return complete;
  }

  int status() {
    return status;
  }

  /** Where to go instead. */
  Optional<String> location() {
    return REDIRECTS.contains(status)
        ? Optional.ofNullable(location).filter(text -> !text.isEmpty())
        : Optional.empty();
  }
}
