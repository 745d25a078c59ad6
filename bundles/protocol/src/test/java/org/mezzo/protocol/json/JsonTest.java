package org.mezzo.protocol.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.protocol.recordio.RecordIo;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.DurationInfo;
import org.mezzo.protocol.v1.Filters;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.OfferID;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.scheduler.Call;

class JsonTest {
  @Test
  void writesNamesEnumsAndNumbersAsClientsExpectThem() {
    TaskStatus.Builder status =
        TaskStatus.newBuilder()
            .setState(TaskState.TASK_RUNNING)
            .setTimestamp(1724439540)
            .setHealthy(true)
            .setUuid(ByteString.copyFrom(new byte[] {(byte) 0xfb, (byte) 0xff, 0}));
    status.getTaskIdBuilder().setValue("t\"1\u00e9\ud83d\ude00");
    assertThat(encoded(status))
        .isEqualTo(
            "{\"task_id\":{\"value\":\"t\\\"1\u00e9\\uD83D\\uDE00\"},\"state\":\"TASK_RUNNING\","
                + "\"timestamp\":1724439540.0,\"uuid\":\"+/8A\",\"healthy\":true}");
    assertThat(encoded(DurationInfo.newBuilder().setNanoseconds(Long.MIN_VALUE)))
        .isEqualTo("{\"nanoseconds\":-9223372036854775808}");
    assertThat(encoded(Value.Range.newBuilder().setBegin(0).setEnd(-1)))
        .isEqualTo("{\"begin\":0,\"end\":18446744073709551615}");
  }

  @Test
  void writesExplicitDefaultsUnlessDeprecatedAndNoEmptyLists() {
    assertThat(encoded(Filters.newBuilder())).isEqualTo("{\"refuse_seconds\":5.0}");
    assertThat(encoded(FrameworkInfo.newBuilder().setUser("u").setName("n")))
        .isEqualTo("{\"user\":\"u\",\"name\":\"n\",\"failover_timeout\":0.0,\"checkpoint\":false}");
    assertThat(encoded(CommandInfo.newBuilder().setValue("x")))
        .isEqualTo("{\"shell\":true,\"value\":\"x\"}");
    assertThat(encoded(Labels.newBuilder())).isEqualTo("{}");
  }

  @Test
  void writesListsThatAnswersAlwaysCarry() {
    assertThat(encoded(org.mezzo.protocol.v1.master.Response.GetTasks.newBuilder()))
        .isEqualTo("{\"tasks\":[],\"unreachable_tasks\":[],\"completed_tasks\":[]}");
    assertThat(encoded(org.mezzo.protocol.v1.agent.Response.GetExecutors.newBuilder()))
        .isEqualTo("{\"executors\":[],\"completed_executors\":[]}");
  }

  @Test
  void writesMapsAsObjectsAndOtherMessagesToo() throws Exception {
    TaskInfo.Builder task = TaskInfo.newBuilder().setName("n");
    task.putLimits("cpus", Value.Scalar.newBuilder().setValue(Double.POSITIVE_INFINITY).build());
    assertThat(encoded(task))
        .isEqualTo("{\"name\":\"n\",\"limits\":{\"cpus\":{\"value\":\"Infinity\"}}}");
    com.google.protobuf.Duration duration =
        com.google.protobuf.Duration.newBuilder().setSeconds(3).build();
    assertThat(encoded(duration)).isEqualTo("{\"seconds\":3}");
    assertThat(decode("{\"nanos\":4}", duration.getDefaultInstanceForType()).getNanos())
        .isEqualTo(4);
  }

  @Test
  void writesToAStreamAndAsARecord() throws Exception {
    Filters filters = Filters.getDefaultInstance();
    boolean[] closed = {false};
    ByteArrayOutputStream out =
        new ByteArrayOutputStream() {
          @Override
          public void close() {
            closed[0] = true;
          }
        };
    Json.write(filters, out);
    assertThat(out.toByteArray()).isEqualTo(Json.encode(filters));
    assertThat(closed[0]).isFalse();
    assertThat(Json.encodeRecord(filters)).isEqualTo(RecordIo.frame(Json.encode(filters)));
  }

  @Test
  void largeMessagesAreWhole() throws Exception {
    Labels.Builder labels = Labels.newBuilder();
    for (int i = 0; i < 100_000; i++) {
      labels.addLabelsBuilder().setKey("key" + i).setValue("value");
    }
    byte[] json = Json.encode(labels);
    assertThat(json.length).isGreaterThan(3_000_000);
    assertThat(Json.decode(json, Labels.getDefaultInstance())).isEqualTo(labels.build());
    assertThat(Json.encodeRecord(labels)).isEqualTo(RecordIo.frame(json));
  }

  @Test
  void refusesToWriteWhatIsNestedTooDeeply() {
    ContainerID id = ContainerID.newBuilder().setValue("c").build();
    for (int i = 0; i < 2000; i++) {
      id = ContainerID.newBuilder().setValue("c").setParent(id).build();
    }
    ContainerID deepest = id;
    assertThatThrownBy(() -> Json.encode(deepest))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot encode mesos.v1.ContainerID");
  }

  @Test
  void skipsUnknownFieldsOfAnyShapeAndNulls() throws Exception {
    assertThat(
            decode(
                "{\"x\":1,\"y\":{\"a\":[{\"b\":null}]},\"z\":[[1],{\"c\":\"}\"}],\"hostname\":null,"
                    + "\"roles\":[null,\"a\",null],\"labels\":null,\"user\":\"u\",\"name\":\"n\","
                    + "\"offer_filters\":{\"r\":null},\"capabilities\":null}",
                FrameworkInfo.getDefaultInstance()))
        .isEqualTo(FrameworkInfo.newBuilder().setUser("u").setName("n").addRoles("a").build());
  }

  @Test
  void aScalarIsAListOfOne() throws Exception {
    FrameworkInfo info =
        decode(
            "{\"user\":\"u\",\"name\":\"n\",\"roles\":\"a\",\"capabilities\":{\"type\":"
                + "\"MULTI_ROLE\"}}",
            FrameworkInfo.getDefaultInstance());
    assertThat(info.getRolesList()).containsExactly("a");
    assertThat(info.getCapabilities(0).getType())
        .isEqualTo(FrameworkInfo.Capability.Type.MULTI_ROLE);
  }

  @Test
  void anUnknownEnumNameLeavesTheFieldUnsetUnlessItIsRequired() throws Exception {
    assertThat(decode("{\"type\":\"FOO\"}", Call.getDefaultInstance()).hasType()).isFalse();
    refused(
        "{\"task_id\":{\"value\":\"t\"},\"state\":\"FOO\"}",
        TaskStatus.getDefaultInstance(),
        JsonFormatException.Kind.CONVERSION,
        "Unknown value 'FOO' of required field 'state'");
    refused(
        "{\"type\":3}",
        Call.getDefaultInstance(),
        JsonFormatException.Kind.CONVERSION,
        "Not expecting a JSON number for field 'type'");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "5|5",
        "\"5\"|5",
        "5.0|5",
        "5e2|500",
        "\"-7\"|-7",
        "-2147483648|-2147483648",
        "2147483647.0|2147483647",
        "500e-2|5"
      })
  void readsIntegers(String json, int value) throws Exception {
    assertThat(
            decode(
                    "{\"port\":" + json + ",\"hostname\":\"h\"}",
                    org.mezzo.protocol.v1.AgentInfo.getDefaultInstance())
                .getPort())
        .isEqualTo(value);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "2147483648",
        "-2147483649",
        "5.5",
        "\"99999999999\"",
        "1e400",
        "1e-400",
        "123456789012345678901234567890",
        "1e999999999",
        "-1e999999999",
        "\"1e-999999999\""
      })
  void checksTheRangeOfIntegers(String json) {
    refusedStarting(
        "{\"port\":" + json + ",\"hostname\":\"h\"}",
        org.mezzo.protocol.v1.AgentInfo.getDefaultInstance(),
        "Expecting an integer from -2147483648 to 2147483647 for field 'port', not ");
  }

  @Test
  void checksTheRangeOfUnsignedIntegers() throws Exception {
    Value.Range range = Value.Range.getDefaultInstance();
    assertThat(decode("{\"begin\":18446744073709551615,\"end\":1e19}", range))
        .isEqualTo(
            Value.Range.newBuilder()
                .setBegin(-1)
                .setEnd(Long.parseUnsignedLong("10000000000000000000"))
                .build());
    refusedStarting(
        "{\"begin\":18446744073709551616,\"end\":1}", range, "Expecting an integer from 0 to 1844");
    refusedStarting("{\"begin\":-1,\"end\":1}", range, "Expecting an integer from 0 to ");
    refusedStarting("{\"begin\":\"-1\",\"end\":1}", range, "Expecting an integer from 0 to 1844");
  }

  @ParameterizedTest
  @ValueSource(strings = {"\"\"", "\"abc\"", "\"0x10\"", "\"1d\"", "\" 1\"", "\"1e\""})
  void refusesTextThatIsNoNumber(String json) {
    for (Message type :
        new Message[] {Value.Scalar.getDefaultInstance(), Value.Range.getDefaultInstance()}) {
      refusedStarting(
          "{\"value\":" + json + ",\"begin\":" + json + "}",
          type,
          "Failed to parse '" + json.substring(1, json.length() - 1) + "' as a JSON number for ");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "1|1",
        "1.25|1.25",
        "\"1.25\"|1.25",
        "-0.0|-0.0",
        "1e300|1e300",
        "\"Infinity\"|Infinity",
        "\"-Infinity\"|-Infinity",
        "\"NaN\"|NaN",
        "9007199254740993|9007199254740992"
      })
  void readsDoubles(String json, double value) throws Exception {
    Double read = decode("{\"value\":" + json + "}", Value.Scalar.getDefaultInstance()).getValue();
    assertThat(read).isEqualTo(Double.valueOf(value));
  }

  @Test
  void refusesDoublesThatAreTooLarge() {
    for (String json : new String[] {"1e999", "\"-1e999\""}) {
      refusedStarting(
          "{\"value\":" + json + "}",
          Value.Scalar.getDefaultInstance(),
          "Expecting a 64-bit floating point number for field 'value', not ");
    }
  }

  @Test
  void readsBooleansAlsoAsText() throws Exception {
    CommandInfo type = CommandInfo.getDefaultInstance();
    assertThat(decode("{\"shell\":\"false\"}", type).getShell()).isFalse();
    assertThat(decode("{\"shell\":\"true\"}", type).hasShell()).isTrue();
    assertThat(decode("{\"shell\":false}", type).getShell()).isFalse();
    refusedStarting("{\"shell\":\"yes\"}", type, "Not expecting a JSON string for field 'shell'");
    refusedStarting("{\"shell\":1}", type, "Not expecting a JSON number for field 'shell'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"+/8A", "-_8A", "+/8A\\n", "+_ 8A"})
  void readsBase64OfBothAlphabets(String text) throws Exception {
    assertThat(bytes(text)).isEqualTo(new byte[] {(byte) 0xfb, (byte) 0xff, 0});
    assertThat(bytes("+w==")).isEqualTo(bytes("+w")).isEqualTo(new byte[] {(byte) 0xfb});
  }

  @ParameterizedTest
  @ValueSource(strings = {"aGk", "aGk=", "aGk==", "aGk= =", "aGk=====", "a G k ===\\n"})
  void readsBase64WithAnyPadding(String text) throws Exception {
    assertThat(bytes(text)).asString(StandardCharsets.UTF_8).isEqualTo("hi");
    assertThat(bytes("aGV5===")).asString(StandardCharsets.UTF_8).isEqualTo("hey");
    assertThat(bytes("====")).isEmpty();
  }

  @Test
  void refusesBase64ThatGoesOnBehindItsPadding() {
    assertThatThrownBy(() -> bytes("aGk=aGk="))
        .isInstanceOf(JsonFormatException.class)
        .hasMessageContaining("Failed to base64 decode bytes field 'data'");
  }

  private static byte[] bytes(String text) throws JsonFormatException {
    return decode(
            "{\"state\":\"TASK_LOST\",\"task_id\":{\"value\":\"t\"},\"data\":\"" + text + "\"}",
            TaskStatus.getDefaultInstance())
        .getData()
        .toByteArray();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"type\":\"KILL\",\"kill\":{}}|Missing required fields: kill.task_id",
        "{\"message\":{}}|Missing required fields: message.agent_id, message.executor_id,"
            + " message.data",
        "{\"subscribe\":{}}|Missing required fields: subscribe.framework_info",
        "{\"decline\":{\"offer_ids\":[{\"value\":\"a\"},{}]}}|Missing required fields:"
            + " decline.offer_ids[1].value",
        "{\"kill\":{\"task_id\":null}}|Missing required fields: kill.task_id"
      })
  void namesWhatIsMissing(String json, String text) {
    refused(json, Call.getDefaultInstance(), JsonFormatException.Kind.MISSING, text);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"x\"|Expecting a JSON object",
        "[]|Expecting a JSON object",
        "null|Expecting a JSON object",
        "1|Expecting a JSON object",
        "{\"subscribe\":{\"framework_info\":{\"name\":1}}}|Not expecting a JSON number for field"
            + " 'name'",
        "{\"subscribe\":{\"framework_info\":{\"name\":{}}}}|Not expecting a JSON object for field"
            + " 'name'",
        "{\"subscribe\":[{}]}|Not expecting a JSON array for field 'subscribe'",
        "{\"subscribe\":true}|Not expecting a JSON boolean for field 'subscribe'",
        "{\"decline\":{\"offer_ids\":[[]]}}|Not expecting a JSON array for field 'offer_ids'",
        "{\"acknowledge\":{\"uuid\":\"!!!\"}}|Failed to base64 decode bytes field 'uuid': Invalid"
            + " character '!'",
        "{\"subscribe\":{\"framework_info\":{\"name\":\"\\ud800\"}}}|Unpaired surrogate in the text"
            + " of field 'name'",
        "{\"subscribe\":{\"framework_info\":{\"offer_filters\":[]}}}|Not expecting a JSON array for"
            + " field 'offer_filters'"
      })
  void namesWhatDoesNotFit(String json, String text) {
    refused(json, Call.getDefaultInstance(), JsonFormatException.Kind.CONVERSION, text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "not json",
        "{",
        "{\"type\"",
        "{\"type\":}",
        "{type:1}",
        "{'type':1}",
        "{}x",
        "{}{}",
        "{},",
        "{\"a\":1,}",
        "{\"a\":01}",
        "{\"a\":NaN}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\\x\"}",
        "{\"type\":3} x",
        "{\"a\":tru}",
        "/**/{}",
        "\u0000"
      })
  void refusesWhatIsNoJson(String json) {
    assertThatThrownBy(() -> decode(json, Call.getDefaultInstance()))
        .asInstanceOf(type(JsonFormatException.class))
        .satisfies(kind(JsonFormatException.Kind.SYNTAX))
        .satisfies(e -> assertThat(e).hasMessageStartingWith("syntax error at line "));
  }

  @Test
  void saysWhereTheSyntaxErrorIs() {
    assertThatThrownBy(
            () ->
                decode(
                    "{\"subscribe\":{\n  \"framework_info\":{\"roles\":[\"a\",b]}}}",
                    Call.getDefaultInstance()))
        .hasMessageStartingWith(
            "syntax error at line 2 column 34 in 'subscribe.framework_info.roles.1': ");
  }

  @Test
  void refusesBytesThatAreNoUtf8() {
    byte[] json = "{\"name\":\"?\"}".getBytes(StandardCharsets.US_ASCII);
    json[9] = (byte) 0xff;
    assertThatThrownBy(() -> Json.decode(json, FrameworkInfo.getDefaultInstance()))
        .asInstanceOf(type(JsonFormatException.class))
        .satisfies(kind(JsonFormatException.Kind.SYNTAX));
  }

  @Test
  void boundsTheDepth() throws Exception {
    String known =
        "{\"parent\":".repeat(150) + "{\"value\":\"a\"}" + ",\"value\":\"b\"}".repeat(150);
    assertThat(decode(known, ContainerID.getDefaultInstance()).getValue()).isEqualTo("b");
    for (String json :
        new String[] {
          "{\"parent\":".repeat(100_000),
          "{\"unknown\":" + "[".repeat(100_000),
          "{\"unknown\":" + "{\"a\":".repeat(100_000)
        }) {
      assertThatThrownBy(() -> decode(json, ContainerID.getDefaultInstance()))
          .asInstanceOf(type(JsonFormatException.class))
          .satisfies(kind(JsonFormatException.Kind.SYNTAX))
          .satisfies(e -> assertThat(e.getMessage()).contains("depth").hasSizeLessThan(500));
    }
  }

  @Test
  void readsFromAStreamAndLeavesItOpen() throws Exception {
    boolean[] closed = {false};
    ByteArrayInputStream in =
        new ByteArrayInputStream("{\"value\":\"o\"}".getBytes(StandardCharsets.UTF_8)) {
          @Override
          public void close() {
            closed[0] = true;
          }
        };
    assertThat(Json.decode(in, OfferID.getDefaultInstance()).getValue()).isEqualTo("o");
    assertThat(closed[0]).isFalse();
  }

  @Test
  void theLastOfTwoEqualNamesCounts() throws Exception {
    assertThat(
            decode("{\"value\":\"a\",\"value\":\"b\"}", ContainerID.getDefaultInstance())
                .getValue())
        .isEqualTo("b");
  }

  @Test
  void resourcesKeepTheirNumbers() throws Exception {
    String json =
        "{\"name\":\"cpus\",\"type\":\"SCALAR\",\"scalar\":{\"value\":0.001},\"role\":\"*\"}";
    Resource resource = decode(json, Resource.getDefaultInstance());
    assertThat(Trees.parse(encoded(resource))).isEqualTo(Trees.parse(json));
    assertThat(Offer.newBuilder().addResources(resource).getResources(0)).isEqualTo(resource);
  }

  private static String encoded(com.google.protobuf.MessageOrBuilder message) {
    return new String(Json.encode(message), StandardCharsets.UTF_8);
  }

  private static <M extends Message> M decode(String json, M type) throws JsonFormatException {
    return Json.decode(json.getBytes(StandardCharsets.UTF_8), type);
  }

  private static void refused(
      String json, Message type, JsonFormatException.Kind kind, String text) {
    assertThatThrownBy(() -> decode(json, type))
        .hasMessage(text)
        .asInstanceOf(type(JsonFormatException.class))
        .satisfies(kind(kind));
  }

  private static void refusedStarting(String json, Message type, String text) {
    assertThatThrownBy(() -> decode(json, type))
        .hasMessageStartingWith(text)
        .asInstanceOf(type(JsonFormatException.class))
        .satisfies(kind(JsonFormatException.Kind.CONVERSION));
  }

  private static Consumer<JsonFormatException> kind(JsonFormatException.Kind kind) {
    return e -> assertThat(e.kind()).isEqualTo(kind);
  }

  private static List<OfferID> list(String json) throws JsonFormatException {
    return Json.decodeList(json.getBytes(StandardCharsets.UTF_8), OfferID.getDefaultInstance());
  }

  @Test
  void arraysOfMessagesAreRead() throws Exception {
    assertThat(list(" [] ")).isEmpty();
    assertThat(list("[{\"value\":\"a\"},{\"value\":\"b\",\"x\":[{}]}]"))
        .extracting(OfferID::getValue)
        .containsExactly("a", "b");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "``|SYNTAX|empty text instead of a JSON array",
        "[|SYNTAX|syntax error",
        "[{}|SYNTAX|syntax error",
        "[1,|SYNTAX|syntax error",
        "[] []|SYNTAX|unexpected text after the end of the JSON array",
        "{}|CONVERSION|Expecting a JSON array",
        "[[]]|CONVERSION|Expecting an array of JSON objects",
        "[null]|CONVERSION|Expecting an array of JSON objects",
        "[{\"value\":\"a\"},{}]|MISSING|Missing required fields: value",
      })
  void otherThingsThanArraysOfMessagesAreRefused(
      String json, JsonFormatException.Kind kind, String text) {
    assertThatThrownBy(() -> list(json))
        .isInstanceOfSatisfying(
            JsonFormatException.class, it -> assertThat(it.kind()).isEqualTo(kind))
        .hasMessageContaining(text);
  }
}
