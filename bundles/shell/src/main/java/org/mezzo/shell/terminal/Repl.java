package org.mezzo.shell.terminal;

import java.io.IOError;
import java.io.OutputStream;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Converter;
import org.jline.reader.Candidate;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.ParsedLine;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;

/** Reads a line, runs it, shows what came of it, until the user leaves. */
final class Repl {
  private static final String PROMPT = "mezzo> ";

  private Repl() {}

  /** Serves one terminal on the calling thread; it stays open. */
  static void run(CommandProcessor processor, Terminal terminal, Completions completions) {
    try (CommandSession session =
        processor.createSession(terminal.input(), terminal.output(), terminal.output())) {
      LineReader reader =
          LineReaderBuilder.builder()
              .terminal(terminal)
              .appName("mezzo")
              .completer(
                  (line, parsed, candidates) -> complete(session, parsed, completions, candidates))
              .build();
      terminal.writer().println("Mezzo shell. 'help' lists commands, 'exit' leaves.");
      while (true) {
        String line;
        try {
          line = reader.readLine(PROMPT).strip();
        } catch (UserInterruptException e) {
          continue;
        } catch (EndOfFileException | IOError e) {
          return;
        }
        if (line.equals("exit") || line.equals("quit")) {
          return;
        }
        if (!line.isEmpty()) {
          terminal.writer().println(execute(session, line).text());
          terminal.writer().flush();
        }
      }
    }
  }

  /**
   * Runs one line without a terminal.
   *
   * @return 0, or 1 when it failed
   */
  static int runOnce(CommandProcessor processor, String line, OutputStream out) {
    try (CommandSession session =
        processor.createSession(java.io.InputStream.nullInputStream(), out, out)) {
      Outcome outcome = execute(session, line);
      session.getConsole().println(outcome.text());
      session.getConsole().flush();
      return outcome.failed() ? 1 : 0;
    }
  }

  private record Outcome(String text, boolean failed) {}

  private static Outcome execute(CommandSession session, String line) {
    try {
      Object result = session.execute(line);
      return new Outcome(
          result == null ? "" : session.format(result, Converter.INSPECT).toString(), false);
    } catch (Exception e) {
      String message = e.getMessage() == null ? e.toString() : e.getMessage();
      return new Outcome("Error: " + message, true);
    }
  }

  private static void complete(
      CommandSession session,
      ParsedLine line,
      Completions completions,
      Collection<Candidate> candidates) {
    if (line.wordIndex() > 0) {
      List<String> before = line.words().subList(0, line.wordIndex());
      // Help is about commands.
      if (!before.equals(List.of("help"))) {
        completions.after(before).forEach(value -> candidates.add(new Candidate(value)));
        return;
      }
    }
    if (session.get(".commands") instanceof Set<?> commands) {
      for (Object command : commands) {
        candidates.add(new Candidate(command.toString()));
      }
    }
  }
}
