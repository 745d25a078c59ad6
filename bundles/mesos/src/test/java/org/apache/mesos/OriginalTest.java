package org.apache.mesos;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.EnumDescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.FileDescriptor;
import java.lang.reflect.Executable;
import java.lang.reflect.Modifier;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** All that the original has is there under the same names and, on the wire, numbers. */
class OriginalTest {
  private static final Path ORIGINAL = Path.of(System.getProperty("mezzo.original"));
  private static URLClassLoader original;

  @BeforeAll
  static void open() throws Exception {
    URL[] jars;
    try (Stream<Path> files = Files.list(ORIGINAL)) {
      List<Path> paths = files.toList();
      jars = new URL[paths.size()];
      for (int i = 0; i < jars.length; i++) {
        jars[i] = paths.get(i).toUri().toURL();
      }
    }
    original = new URLClassLoader(jars, ClassLoader.getPlatformClassLoader());
  }

  @AfterAll
  static void close() throws Exception {
    original.close();
  }

  private static List<String> classes() throws Exception {
    try (ZipFile jar = new ZipFile(ORIGINAL.resolve("mesos-1.11.0.jar").toFile())) {
      return jar.stream()
          .map(it -> it.getName())
          .filter(it -> it.endsWith(".class"))
          .map(it -> it.replace(".class", "").replace('/', '.'))
          .toList();
    }
  }

  static List<String> messages() throws Exception {
    return classes().stream().filter(it -> it.endsWith(".Protos")).toList();
  }

  static List<String> others() throws Exception {
    return classes().stream()
        .filter(it -> !it.contains(".Protos"))
        .filter(it -> Modifier.isPublic(loaded(it).getModifiers()))
        .toList();
  }

  private static Class<?> loaded(String name) {
    try {
      return Class.forName(name, false, original);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  @ParameterizedTest
  @MethodSource("messages")
  void messagesAreTheSameOnTheWire(String name) throws Exception {
    Object there = Class.forName(name, true, original).getMethod("getDescriptor").invoke(null);
    Object proto = there.getClass().getMethod("toProto").invoke(there);
    byte[] bytes = (byte[]) proto.getClass().getMethod("toByteArray").invoke(proto);
    FileDescriptor here =
        (FileDescriptor) Class.forName(name).getMethod("getDescriptor").invoke(null);
    Set<String> facts = facts(FileDescriptorProto.parseFrom(bytes));
    assertThat(facts).hasSizeGreaterThan(5);
    assertThat(facts(here.toProto())).containsAll(facts);
  }

  private static Set<String> facts(FileDescriptorProto file) {
    Set<String> facts = new TreeSet<>();
    facts.add("package " + file.getPackage());
    file.getMessageTypeList().forEach(it -> message(file.getPackage(), it, facts));
    file.getEnumTypeList().forEach(it -> values(file.getPackage(), it, facts));
    return facts;
  }

  private static void message(String in, DescriptorProto message, Set<String> facts) {
    String name = in + "." + message.getName();
    facts.add(name);
    for (FieldDescriptorProto field : message.getFieldList()) {
      String oneof =
          field.hasOneofIndex() ? message.getOneofDecl(field.getOneofIndex()).getName() : "";
      facts.add(
          String.join(
              " ",
              name,
              field.getName(),
              Integer.toString(field.getNumber()),
              field.getLabel().name(),
              field.getType().name(),
              field.getTypeName(),
              field.getDefaultValue(),
              oneof,
              Boolean.toString(field.getOptions().getPacked())));
    }
    message.getNestedTypeList().forEach(it -> message(name, it, facts));
    message.getEnumTypeList().forEach(it -> values(name, it, facts));
  }

  private static void values(String in, EnumDescriptorProto values, Set<String> facts) {
    String name = in + "." + values.getName();
    facts.add(name);
    values.getValueList().forEach(it -> facts.add(name + " " + it.getName() + it.getNumber()));
  }

  @ParameterizedTest
  @MethodSource("others")
  void whatFrameworksCallAndImplementIsThere(String name) throws Exception {
    Class<?> there = loaded(name);
    Class<?> here = Class.forName(name, false, OriginalTest.class.getClassLoader());
    assertThat(here.isInterface()).isEqualTo(there.isInterface());
    assertThat(signatures(here)).containsAll(signatures(there));
    if (here.isInterface()) {
      assertThat(signatures(here)).as("nothing more to implement").isEqualTo(signatures(there));
    }
    assertThat(parents(here)).containsAll(parents(there));
  }

  private static Set<String> signatures(Class<?> type) {
    // Nobody but Mesos can extend its abstract classes: they keep addresses of native objects.
    boolean made = !Modifier.isAbstract(type.getModifiers());
    Stream<Executable> all =
        Stream.concat(
            Arrays.stream(type.getMethods()),
            made ? Arrays.stream(type.getConstructors()) : Stream.empty());
    return all.filter(it -> it.getDeclaringClass() != Object.class)
        .map(
            it ->
                (it instanceof java.lang.reflect.Method method
                        ? method.getReturnType().getName()
                        : "")
                    + " "
                    + it.getName()
                    + Arrays.stream(it.getGenericParameterTypes())
                        .map(java.lang.reflect.Type::getTypeName)
                        .toList())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Set<String> parents(Class<?> type) {
    Set<String> parents = new TreeSet<>();
    for (Class<?> next = type; next != null; next = next.getSuperclass()) {
      parents.add(next.getName());
      Arrays.stream(next.getInterfaces()).map(Class::getName).forEach(parents::add);
    }
    return parents;
  }

  @ParameterizedTest
  @MethodSource("messages")
  void classesOfMessagesAreThere(String name) throws Exception {
    Set<String> nested =
        Arrays.stream(loaded(name).getClasses())
            .map(Class::getName)
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(Arrays.stream(Class.forName(name).getClasses()).map(Class::getName).toList())
        .containsAll(nested);
  }
}
