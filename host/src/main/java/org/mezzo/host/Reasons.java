package org.mezzo.host;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/** What of a chain of causes is worth telling an operator. */
final class Reasons {
  /** These say that somebody's code threw, which the next cause tells better. */
  private static final Set<String> WRAPPERS =
      Set.of(
          "java.lang.reflect.InvocationTargetException",
          "java.lang.reflect.UndeclaredThrowableException",
          "java.lang.ExceptionInInitializerError",
          "java.util.concurrent.ExecutionException",
          "java.util.concurrent.CompletionException",
          "org.osgi.service.component.ComponentException");

  private record Link(String type, String message) {
    /** What was thrown to tell an operator something needs no name of a class in front. */
    String text() {
      boolean plain =
          !message.isEmpty()
              && type.matches("java\\.(io\\.IO|io\\.UncheckedIO|lang\\.Illegal\\w+)Exception");
      return plain ? message : message.isEmpty() ? type : type + ": " + message;
    }
  }

  private Reasons() {}

  /**
   * The message closest to the operator: of the outermost cause that says something of its own,
   * because that is where the remedy is named; behind it the innermost one unless it is in there.
   */
  static String of(Throwable failure) {
    List<Link> chain = new ArrayList<>();
    for (Throwable at = failure; at != null && chain.size() < 100; at = at.getCause()) {
      chain.add(new Link(at.getClass().getName(), Objects.requireNonNullElse(at.getMessage(), "")));
    }
    return of(chain);
  }

  /** The same of a printed stack trace, as the runtime of components keeps it. */
  static String ofStackTrace(String stackTrace) {
    List<Link> chain = new ArrayList<>();
    String[] lines =
        Arrays.stream(String.valueOf(stackTrace).split("\n"))
            .filter(line -> !line.startsWith("\t") && !line.isBlank())
            .toArray(String[]::new);
    for (String line : lines) {
      boolean cause = line.startsWith("Caused by: ");
      if (cause || chain.isEmpty()) {
        String header = (cause ? line.substring("Caused by: ".length()) : line).strip();
        int colon = header.indexOf(": ");
        boolean typed = colon > 0 && header.substring(0, colon).matches("[\\w.$]+");
        chain.add(
            typed
                ? new Link(header.substring(0, colon), header.substring(colon + 2))
                : new Link(header, ""));
      } else {
        Link last = chain.remove(chain.size() - 1);
        chain.add(new Link(last.type(), (last.message() + "\n" + line.stripTrailing()).strip()));
      }
    }
    return of(chain);
  }

  private static String of(List<Link> chain) {
    if (chain.isEmpty()) {
      return "";
    }
    Link last = chain.get(chain.size() - 1);
    Link first = last;
    for (int i = chain.size() - 2; i >= 0; i--) {
      Link link = chain.get(i);
      Link cause = chain.get(i + 1);
      boolean ownWords =
          !link.message().isEmpty()
              && !link.message().equals(cause.message())
              && !link.message().startsWith(cause.type());
      if (ownWords && !WRAPPERS.contains(link.type())) {
        first = link;
      }
    }
    String said = first.text();
    String reason = last.message().isEmpty() ? last.type() : last.message();
    return said.contains(reason) ? said : said + " (" + reason + ")";
  }
}
