package org.mezzo.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Conversations with agents of other versions, as they are stored. A line is {@code >} for what the
 * agent sends or {@code <} for what the spawner answers, then type and number of the frame, then
 * its fields: {@code tag:hex}, {@code tag:'text'}, or {@code tag:*} for any value. Fields of an
 * answer that are not named are newer ones, which an agent skips. From {@code = container} on the
 * conversation is with the shim of that one, from {@code =} on with the spawner again. These files
 * are never changed, only added to: an agent in the field goes on to speak as it did.
 */
@Timeout(60)
class TranscriptTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1.0",
        "1.1",
        "1.2",
        "1.3",
        "1.3-output-helper",
        "1.4",
        "later-minor",
        "other-major"
      })
  void isUnderstoodAsEver(String name) throws Exception {
    try (Spawner first = Spawner.open(folder)) {
      Files.createDirectories(first.folder("c"));
      Files.createDirectories(first.folder("d"));
      Spawner spawner = Spawner.strange(folder, first.process);
      Spawner agent = spawner;
      Path file = C.MODULE.resolve("src/test/resources/transcripts/" + name + ".txt");
      for (String line : Files.readAllLines(file)) {
        if (line.isBlank() || line.startsWith("#")) {
          continue;
        }
        if (line.startsWith("=")) {
          String container = line.substring(1).strip();
          agent =
              container.isEmpty()
                  ? spawner
                  : Spawner.strange(first.folder(container).resolve("control"));
          continue;
        }
        List<String> words = words(line.replace("{folder}", folder.toString()));
        int type = Integer.parseInt(words.get(1));
        int number = Integer.parseInt(words.get(2));
        if (words.get(0).equals(">")) {
          Message message = Message.of(type, number);
          fields(words).forEach(field -> message.with(field.tag(), field.value()));
          agent.send(message.encode());
        } else {
          Message message = agent.read();
          assertThat(message.type()).as("%s: %s", line, message).isEqualTo(type);
          assertThat(message.number()).as("%s: %s", line, message).isEqualTo(number);
          for (Message.Field field : fields(words)) {
            assertThat(message.fields())
                .as(line)
                .anyMatch(
                    it ->
                        it.tag() == field.tag()
                            && (field.value() == null
                                || java.util.Arrays.equals(it.value(), field.value())));
          }
        }
      }
      spawner.disconnect();
    }
  }

  private static List<String> words(String line) {
    List<String> words = new ArrayList<>();
    var matcher = java.util.regex.Pattern.compile("(?:[^ ']|'[^']*')+").matcher(line);
    while (matcher.find()) {
      words.add(matcher.group());
    }
    return words;
  }

  private static List<Message.Field> fields(List<String> words) {
    List<Message.Field> fields = new ArrayList<>();
    for (String word : words.subList(3, words.size())) {
      int colon = word.indexOf(':');
      String value = word.substring(colon + 1);
      byte[] bytes =
          value.equals("*")
              ? null
              : value.startsWith("'")
                  ? value.substring(1, value.length() - 1).getBytes(StandardCharsets.UTF_8)
                  : HexFormat.of().parseHex(value);
      fields.add(new Message.Field(Integer.parseInt(word.substring(0, colon)), bytes));
    }
    return fields;
  }
}
