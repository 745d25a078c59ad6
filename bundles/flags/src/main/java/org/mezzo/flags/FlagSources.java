package org.mezzo.flags;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.mezzo.flags.FlagDefinitions.Definition;

/**
 * Collects what was given for the flags of one daemon from the command line, the environment and
 * files (rule 354). What is added first wins. Not safe for use by several threads.
 */
public final class FlagSources {
  private static final Pattern ASSIGNMENT =
      Pattern.compile("(?:export\\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)");
  private static final Pattern CAT =
      Pattern.compile("(?:`cat\\s+([^`]+)`|\\$\\(cat\\s+([^)]+)\\))");

  private final FlagDefinitions definitions;
  private final Map<String, String> given = new TreeMap<>();

  /** Begins with nothing. */
  public FlagSources(FlagDefinitions definitions) {
    this.definitions = definitions;
  }

  /**
   * What was given so far: flag names without dashes and texts as they were written, each of which
   * has been checked against its definition.
   */
  public Map<String, String> given() {
    return Collections.unmodifiableMap(given);
  }

  /**
   * Adds arguments of the forms {@code --name=value}, {@code --name} and {@code --no-name}.
   *
   * @throws FlagException for anything else, an unknown or repeated flag, or a bad value
   */
  public FlagSources commandLine(List<String> arguments) throws FlagException {
    Map<String, String> source = new TreeMap<>();
    for (String argument : arguments) {
      if (!argument.startsWith("--") || argument.length() == 2) {
        throw new FlagException(
            "unexpected argument '" + argument + "': flags are written --name=value");
      }
      int equals = argument.indexOf('=');
      String name = argument.substring(2, equals < 0 ? argument.length() : equals);
      String value = equals < 0 ? null : argument.substring(equals + 1);
      put(source, name, value, "on the command line");
    }
    return merge(source);
  }

  /**
   * Adds {@code MEZZO_<FLAG>}, then {@code MESOS_<FLAG>}, each with the deprecated name behind the
   * present one; other variables are nobody's business.
   *
   * @throws FlagException for a bad value
   */
  public FlagSources environment(Map<String, String> environment) throws FlagException {
    for (String prefix : List.of("MEZZO_", "MESOS_")) {
      Map<String, String> source = new TreeMap<>();
      for (Definition definition : definitions.all()) {
        for (String name : List.of(definition.name(), definition.deprecatedName())) {
          String variable = prefix + name.toUpperCase(Locale.ROOT);
          String value = environment.get(variable);
          if (!name.isEmpty() && value != null && !source.containsKey(definition.name())) {
            check(definition, value, "in the environment variable " + variable);
            source.put(definition.name(), value);
          }
        }
      }
      merge(source);
    }
    return this;
  }

  /**
   * Adds a file of lines {@code name=value} in the format of Java properties; does nothing when
   * there is no such file.
   *
   * @throws FlagException for an unknown flag or a bad value
   */
  public FlagSources properties(Path file) throws FlagException {
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      properties.load(reader);
    } catch (NoSuchFileException e) {
      return this;
    } catch (IOException | IllegalArgumentException e) {
      throw new FlagException("cannot read " + file + ": " + e.getMessage());
    }
    Map<String, String> source = new TreeMap<>();
    for (String name : properties.stringPropertyNames()) {
      String value = properties.getProperty(name);
      put(source, name, value.isEmpty() ? null : value, "in " + file);
    }
    return merge(source);
  }

  /**
   * Adds a directory in the layout of the Mesos packages: a file per flag whose content is the
   * value, {@code ?flag} and {@code ?no-flag} for booleans, and below {@code attributes} and {@code
   * resources} a file per attribute or resource. Does nothing when there is no such directory.
   *
   * @throws FlagException for an unknown flag or a bad value
   */
  public FlagSources directory(Path directory) throws FlagException {
    if (!Files.isDirectory(directory)) {
      return this;
    }
    Map<String, String> source = new TreeMap<>();
    for (Path file : sorted(directory)) {
      String name = file.getFileName().toString();
      if (Files.isDirectory(file)) {
        if (name.equals("attributes") || name.equals("resources")) {
          List<String> parts = new ArrayList<>();
          for (Path part : sorted(file)) {
            parts.add(part.getFileName() + ":" + content(part));
          }
          if (!parts.isEmpty()) {
            put(source, name, String.join(";", parts), "in " + file);
          }
        }
      } else if (name.startsWith("?")) {
        put(source, name.substring(1), null, "by " + file);
      } else {
        put(source, name, content(file), "in " + file);
      }
    }
    return merge(source);
  }

  /**
   * Adds one flag from the content of a file, such as {@code zk} from {@code /etc/mesos/zk}; does
   * nothing when there is no such file.
   *
   * @throws FlagException for a bad value
   */
  public FlagSources file(String name, Path file) throws FlagException {
    if (!Files.isRegularFile(file)) {
      return this;
    }
    Map<String, String> source = new TreeMap<>();
    put(source, name, content(file), "in " + file);
    return merge(source);
  }

  /**
   * Adds a file of shell assignments such as {@code /etc/default/mesos-master}: the variables named
   * in {@code flagOf}, and {@code MEZZO_} and {@code MESOS_} variables as in the environment. Of
   * the shell only quotes and {@code `cat file`} are understood. Does nothing when there is no such
   * file.
   *
   * @param flagOf flag names by variable, for example {@code LOGS -> log_dir}
   * @throws FlagException for a bad value
   */
  public FlagSources assignments(Path file, Map<String, String> flagOf) throws FlagException {
    if (!Files.isRegularFile(file)) {
      return this;
    }
    Map<String, String> variables = new TreeMap<>();
    for (String line : content(file).split("\n", -1)) {
      Matcher matcher = ASSIGNMENT.matcher(line.strip());
      if (matcher.matches()) {
        String value = unquoted(matcher.group(2));
        Matcher cat = CAT.matcher(value);
        if (cat.matches()) {
          Path other = Path.of((cat.group(1) != null ? cat.group(1) : cat.group(2)).strip());
          if (!Files.isRegularFile(other)) {
            continue;
          }
          value = content(other);
        }
        variables.put(matcher.group(1), value);
      }
    }
    Map<String, String> source = new TreeMap<>();
    for (Map.Entry<String, String> entry : flagOf.entrySet()) {
      String value = variables.get(entry.getKey());
      if (value != null && !value.isEmpty() && definitions.find(entry.getValue()).isPresent()) {
        put(source, entry.getValue(), value, "in " + file);
      }
    }
    return merge(source).environment(variables);
  }

  private void put(Map<String, String> source, String name, String value, String where)
      throws FlagException {
    String known = name;
    String text = value;
    if (value == null && name.startsWith("no-") && definitions.find(name).isEmpty()) {
      known = name.substring(3);
      text = "false";
    }
    Definition definition;
    try {
      definition = definitions.require(known);
    } catch (FlagException e) {
      throw new FlagException(e.getMessage() + " (given " + where + ")");
    }
    boolean bool = definition.baseType().equals("bool");
    if (value == null && !bool) {
      throw new FlagException(
          text == null
              ? "flag --"
                  + name
                  + " needs a value: write --"
                  + name
                  + "=VALUE (given "
                  + where
                  + ")"
              : "flag --"
                  + known
                  + " is not a switch: --"
                  + name
                  + " has no meaning (given "
                  + where
                  + ")");
    }
    if (text == null) {
      text = "true";
    }
    check(definition, text, where);
    if (source.put(definition.name(), text) != null) {
      throw new FlagException(
          "flag --" + definition.name() + " is given twice " + where + ": keep one of them");
    }
  }

  private static void check(Definition definition, String text, String where) throws FlagException {
    try {
      FlagValues.resolve(definition, text);
    } catch (FlagException e) {
      throw new FlagException(e.getMessage() + " (given " + where + ")");
    }
  }

  private FlagSources merge(Map<String, String> source) {
    source.forEach(given::putIfAbsent);
    return this;
  }

  private static List<Path> sorted(Path directory) throws FlagException {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
      for (Path file : stream) {
        if (!file.getFileName().toString().startsWith(".")) {
          files.add(file);
        }
      }
    } catch (IOException e) {
      throw new FlagException("cannot read the directory " + directory);
    }
    Collections.sort(files);
    return files;
  }

  private static String content(Path file) throws FlagException {
    try {
      return Files.readString(file).strip();
    } catch (IOException e) {
      throw new FlagException("cannot read " + file + ": it must be a readable text in UTF-8");
    }
  }

  private static String unquoted(String text) {
    String value = text.strip();
    if (value.length() >= 2) {
      char first = value.charAt(0);
      if ((first == '"' || first == '\'') && value.charAt(value.length() - 1) == first) {
        return value.substring(1, value.length() - 1);
      }
    }
    int comment = value.indexOf(" #");
    return comment < 0 ? value : value.substring(0, comment).strip();
  }
}
