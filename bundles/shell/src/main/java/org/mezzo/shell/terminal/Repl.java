package org.mezzo.shell.terminal;

import java.io.IOError;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
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

  /** How Gogo begins to say that a command has no form for its arguments. */
  private static final String MISUSE = "Cannot coerce ";

  private Repl() {}

  /** Serves one terminal on the calling thread; it stays open. */
  static void run(Sessions sessions, Terminal terminal, Completions completions, Caller caller) {
    try (CommandSession session = sessions.open(terminal.input(), terminal.output(), caller)) {
      LineReader reader =
          LineReaderBuilder.builder()
              .terminal(terminal)
              .appName("mezzo")
              .completer(
                  (line, parsed, candidates) ->
                      complete(session, parsed, completions, sessions.gate(), caller, candidates))
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
          terminal.writer().println(execute(sessions.gate(), session, caller, line).text());
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
  static int runOnce(Sessions sessions, String line, OutputStream out, Caller caller) {
    try (CommandSession session = sessions.open(InputStream.nullInputStream(), out, caller)) {
      Outcome outcome = execute(sessions.gate(), session, caller, line.strip());
      session.getConsole().println(outcome.text());
      session.getConsole().flush();
      return outcome.failed() ? 1 : 0;
    }
  }

  private record Outcome(String text, boolean failed) {}

  private static Outcome execute(Gate gate, CommandSession session, Caller caller, String line) {
    boolean audited = false;
    try {
      audited = gate.pass(session, caller, line);
      Object result = session.execute(line);
      return new Outcome(text(session, result), false);
    } catch (Exception e) {
      String message = e.getMessage() == null ? e.toString() : e.getMessage();
      if (audited) {
        gate.failed(caller, line, message);
      }
      return new Outcome(
          "Error: " + (message.startsWith(MISUSE) ? usage(session, line, message) : message), true);
    }
  }

  /** Commands of bundles that know nothing of the shell give rows of texts, which are a table. */
  private static String text(CommandSession session, Object result) {
    return result == null
        ? ""
        : Table.of(result)
            .map(Table::toString)
            .orElseGet(() -> session.format(result, Converter.INSPECT).toString());
  }

  /** What a command is called with, instead of what its arguments could not be made into. */
  private static String usage(CommandSession session, String line, String otherwise) {
    String command = line.split("[\\s;|]", 2)[0];
    // Of what is called inside of something else it is not known which words were its own.
    String name = command.substring(command.indexOf(':') + 1);
    if (!otherwise.startsWith(MISUSE + name + "(")) {
      return otherwise;
    }
    try {
      Object help = session.execute("help " + command);
      return help == null || help.toString().isBlank()
          ? otherwise
          : command + " is not called so.\n" + help.toString().strip();
    } catch (Exception e) {
      return otherwise;
    }
  }

  private static void complete(
      CommandSession session,
      ParsedLine line,
      Completions completions,
      Gate gate,
      Caller caller,
      Collection<Candidate> candidates) {
    if (line.wordIndex() > 0) {
      List<String> before = line.words().subList(0, line.wordIndex());
      // Help is about commands.
      if (!before.equals(List.of("help"))) {
        if (gate.mayUse(session, caller, before.get(0))) {
          List<String> words = new ArrayList<>(before);
          words.set(0, words.get(0).substring(words.get(0).indexOf(':') + 1));
          String begun = line.word().substring(0, line.wordCursor());
          candidates.addAll(Candidates.of(completions.after(words, begun), begun));
        }
        return;
      }
    }
    if (session.get(".commands") instanceof Set<?> commands) {
      for (Object command : commands) {
        if (gate.mayUse(session, caller, command.toString())) {
          candidates.add(new Candidate(command.toString()));
        }
      }
    }
  }
}
