package org.mezzo.containerizer.fetching;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.mezzo.api.fetcher.Uris;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.protocol.v1.CommandInfo;

/**
 * One URI as it will be fetched.
 *
 * @param text as the command has it
 * @param target where it goes, in the sandbox
 */
record Item(String text, URI uri, Path target, boolean executable, boolean extract, boolean cache) {

  /** Checks and names one URI (rules 321-323). */
  static Item of(CommandInfo.URI uri, Path sandbox, Optional<Path> frameworksHome)
      throws LaunchException {
    String text = uri.getValue().stripLeading();
    String shown = Uris.shown(text);
    if (text.isEmpty()) {
      throw new LaunchException("A URI of the command is empty; set its 'value'");
    }
    if (text.indexOf('\\') >= 0 || text.indexOf('\'') >= 0 || text.indexOf('\0') >= 0) {
      throw new LaunchException("URI '" + shown + "' contains \\, ' or NUL, which is not allowed");
    }
    int scheme = text.indexOf("://");
    String name;
    if (uri.hasOutputFile()) {
      name = uri.getOutputFile();
      if (name.isEmpty() || name.startsWith("/")) {
        throw new LaunchException(
            "The 'output_file' of URI '" + shown + "' must be a relative path, not '" + name + "'");
      }
      if (List.of(name.split("/")).contains("..")) {
        throw new LaunchException(
            "The 'output_file' of URI '"
                + shown
                + "' is '"
                + name
                + "', which leads out of the sandbox; name a file below it, without '..'");
      }
    } else {
      String path = scheme < 0 ? text : text.substring(scheme + 3);
      int slash = path.lastIndexOf('/');
      if (scheme >= 0 && (path.indexOf('/') < 0 || path.indexOf('/') == path.length() - 1)) {
        throw new LaunchException("Malformed URI '" + shown + "': it has no path");
      }
      name = path.substring(slash + 1);
      if (name.isEmpty()) {
        throw new LaunchException("URI '" + shown + "' does not name a file");
      }
    }
    Path target = target(sandbox, name, shown);
    return new Item(
        text,
        parse(text, scheme, frameworksHome),
        target,
        uri.getExecutable(),
        uri.getExtract(),
        uri.getCache());
  }

  private static Path target(Path sandbox, String name, String shown) throws LaunchException {
    Path target;
    try {
      target = sandbox.resolve(name).normalize();
    } catch (InvalidPathException e) {
      throw new LaunchException(
          "What URI '" + shown + "' is to be called is no name of a file here: " + e.getReason());
    }
    if (!target.startsWith(sandbox) || target.equals(sandbox)) {
      throw new LaunchException(
          "'" + shownName(name) + "' of URI '" + shown + "' leads out of the sandbox");
    }
    return target;
  }

  private static URI parse(String text, int scheme, Optional<Path> frameworksHome)
      throws LaunchException {
    if (scheme < 0) {
      if (text.startsWith("/")) {
        return Path.of(text).toUri();
      }
      return frameworksHome
          .orElseThrow(
              () ->
                  new LaunchException(
                      "A relative path was passed as URI '"
                          + text
                          + "' but the agent has no"
                          + " --frameworks_home"))
          .resolve(text)
          .toUri();
    }
    if (text.regionMatches(true, 0, "file://", 0, 7)) {
      String path = text.substring(7);
      if (path.startsWith("localhost/")) {
        path = path.substring("localhost".length());
      }
      if (!path.startsWith("/")) {
        throw new LaunchException("File URI '" + text + "' must have an absolute path");
      }
      return Path.of(path).toUri();
    }
    try {
      return Uris.parse(text);
    } catch (URISyntaxException e) {
      throw new LaunchException("Malformed URI '" + e.getInput() + "': " + e.getReason(), e);
    }
  }

  String scheme() {
    return uri.getScheme().toLowerCase(Locale.ROOT);
  }

  /** The name of its file. */
  String name() {
    return target.getFileName().toString();
  }

  /** The URI as it may be shown. */
  String shown() {
    return Uris.shown(text);
  }

  /**
   * What stands in for the secrets of this item when somebody else's words are passed on. The name
   * of a file may have the end of a query (rule 323).
   */
  Map<String, String> masks() {
    Map<String, String> masks = new LinkedHashMap<>();
    for (String form : new String[] {text, uri.toString()}) {
      if (!form.equals(Uris.shown(form))) {
        masks.put(form, Uris.shown(form));
      }
      for (String secret : Uris.secrets(form)) {
        masks.put(secret + "@", "");
        masks.put("?" + secret, "?...");
      }
    }
    int question = text.indexOf('?');
    String name = target.getFileName().toString();
    if (!scheme().equals("file") && question >= 0 && text.endsWith(name)) {
      // Without a question mark it is what stands behind the last slash of a query.
      masks.put(name, name.indexOf('?') < 0 ? "..." : shownName(name));
    }
    return masks;
  }

  private static String shownName(String name) {
    int question = name.indexOf('?');
    return question < 0 ? name : name.substring(0, question) + "?...";
  }
}
