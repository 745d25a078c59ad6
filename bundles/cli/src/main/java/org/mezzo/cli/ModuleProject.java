package org.mezzo.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.lang.model.SourceVersion;
import org.mezzo.flags.FlagException;

/**
 * A Maven project with one module in it, as authors begin with. It needs nothing but Maven and a
 * distribution: the POM has no parent, and what modules are compiled against comes from the
 * distribution's own repository.
 *
 * @param template the kind of the module
 * @param name of the module, as flags name it
 * @param javaPackage of its class; also the group of the artifact
 * @param home the distribution that its POM names; {@code -Dmezzo.home} names another one
 * @param version of that distribution
 */
record ModuleProject(
    ModuleTemplate template, String name, String javaPackage, Path home, String version) {
  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9]*([-/_][a-z0-9]+)*");
  private static final Pattern PACKAGE =
      Pattern.compile("[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)*", Pattern.CASE_INSENSITIVE);
  private static final Pattern PLACE = Pattern.compile("\\{\\{([a-z]+)}}");

  /**
   * Checks names that come from outside.
   *
   * @throws FlagException with what is wrong and what to do
   */
  static ModuleProject checked(
      String kind, String name, String javaPackage, Path home, String version)
      throws FlagException {
    ModuleTemplate template =
        ModuleTemplate.of(kind)
            .orElseThrow(
                () ->
                    new FlagException(
                        "--kind: there is no kind of module '"
                            + kind
                            + "'; there are "
                            + ModuleTemplate.kinds()));
    if (!NAME.matcher(name).matches()) {
      throw new FlagException(
          "--name: '"
              + name
              + "' cannot name a module; begin with a letter, and use lower case letters, digits"
              + " and, between them, hyphens, slashes or underscores, as in round-robin");
    }
    if (!PACKAGE.matcher(javaPackage).matches()
        || !SourceVersion.isName(javaPackage)
        || javaPackage.matches("(java|javax)(\\..*)?")) {
      throw new FlagException(
          "--package: '" + javaPackage + "' cannot be a package of yours; give one as com.example");
    }
    ModuleProject project = new ModuleProject(template, name, javaPackage, home, version);
    if (template.spi().endsWith("." + project.className())) {
      throw new FlagException(
          "--name: a "
              + kind
              + " of the name '"
              + name
              + "' would be a class called as the interface of its kind, "
              + template.spi()
              + "; choose another name");
    }
    return project;
  }

  /** The name of the artifact, as {@code hook-origin}. */
  String artifact() {
    return template.prefix() + "-" + hyphened();
  }

  private String hyphened() {
    return name.replaceAll("[/_]", "-");
  }

  /** The simple name of the class, as {@code OriginHook}. */
  String className() {
    return Arrays.stream(name.split("[-/_]"))
            .map(word -> Character.toUpperCase(word.charAt(0)) + word.substring(1))
            .collect(Collectors.joining())
        + template.suffix();
  }

  /** The flags with which a local cluster uses the module; empty where it needs none. */
  String flags() {
    return filled(template.flags(), Map.of("name", name));
  }

  /** All files of the project, by their path in it. */
  Map<String, String> files() {
    Map<String, String> values = new LinkedHashMap<>();
    values.put("name", name);
    values.put("package", javaPackage);
    values.put("path", javaPackage.replace('.', '/'));
    values.put("class", className());
    values.put("interface", template.spi());
    values.put("scheme", hyphened());
    values.put("flags", flags());
    values.put("artifact", artifact());
    values.put("group", javaPackage);
    values.put("symbolic", javaPackage + "." + artifact().replace('-', '.'));
    values.put("title", artifact());
    values.put("description", "The module " + name + " of Mezzo, kind " + template.kind() + ".");
    values.put("home", home.toString());
    values.put("mezzo", version);
    String[] said = template(template.kind() + "/README.md").split("---\n");
    Map<String, String> readme = new LinkedHashMap<>(values);
    readme.put("about", filled(said[0], values).strip());
    readme.put("try", filled(said[1], values).strip());
    // Of what is written down here only the path of the distribution can have such characters.
    Map<String, String> pom = new LinkedHashMap<>(values);
    pom.put("home", home.toString().replace("&", "&amp;").replace("<", "&lt;"));
    String main = "src/main/java/" + values.get("path") + "/" + className() + ".java";
    String test = "src/test/java/" + values.get("path") + "/" + className() + "Test.java";
    Map<String, String> files = new LinkedHashMap<>();
    files.put("pom.xml", filled(template("pom.xml"), pom));
    files.put(main, filled(template(template.kind() + "/Module.java"), values));
    files.put(test, filled(template(template.kind() + "/ModuleTest.java"), values));
    if (template.hasKit()) {
      files.put(
          test.replace("Test.java", "ContractTest.java"),
          filled(template(template.kind() + "/ModuleContractTest.java"), values));
    }
    files.put(
        "README.md",
        filled(template("README.md"), readme).replace("mezzo local \n", "mezzo local\n"));
    files.put(".gitignore", template("gitignore"));
    return files;
  }

  /**
   * Writes the project.
   *
   * @param directory absent, or empty
   * @throws FlagException when it is neither
   * @throws IOException when it cannot be written
   */
  void write(Path directory) throws FlagException, IOException {
    if (Files.exists(directory) && !isEmptyDirectory(directory)) {
      throw new FlagException(
          "--directory: "
              + directory
              + " is there already, and not an empty directory; nothing was changed. Choose another"
              + " one");
    }
    for (Map.Entry<String, String> file : files().entrySet()) {
      Path path = directory.resolve(file.getKey());
      Files.createDirectories(path.getParent());
      Files.writeString(path, file.getValue());
    }
  }

  private static boolean isEmptyDirectory(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return false;
    }
    try (var entries = Files.newDirectoryStream(directory)) {
      return !entries.iterator().hasNext();
    }
  }

  private static String filled(String text, Map<String, String> values) {
    return PLACE
        .matcher(text)
        .replaceAll(
            place -> {
              String value = values.get(place.group(1));
              if (value == null) {
                throw new IllegalStateException("A template has the unknown " + place.group());
              }
              return Matcher.quoteReplacement(value);
            });
  }

  /** A template as it is. */
  static String template(String path) {
    try (InputStream stream = ModuleProject.class.getResourceAsStream("templates/" + path)) {
      if (stream == null) {
        throw new IllegalStateException("There is no template " + path);
      }
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
