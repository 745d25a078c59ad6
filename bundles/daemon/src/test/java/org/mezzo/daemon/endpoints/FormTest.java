package org.mezzo.daemon.endpoints;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.daemon.border.Refused;

class FormTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "id=a;a",
        "other=x&id=a&id=b;a",
        "id=a%20b+c%C3%BC;a b cü",
        "%69d=a=b;a=b",
        "&&id=a&;a"
      })
  void fieldsAreDecoded(String text, String value) throws Exception {
    assertThat(Form.parse(text).required("id")).isEqualTo(value);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "&", "=", "=a", "id", "ID=a", "{\"id\":\"a\"}"})
  void aFieldThatIsNotThereIsMissing(String text) throws Exception {
    Form form = Form.parse(text);
    assertThatExceptionOfType(Refused.class)
        .isThrownBy(() -> form.required("id"))
        .withMessage("Missing 'id' query parameter in the request body")
        .satisfies(refused -> assertThat(refused.status()).isEqualTo(400));
  }

  @ParameterizedTest
  @ValueSource(strings = {"id=%", "id=%4", "id=%zz", "%=a"})
  void whatCannotBeDecodedIsRefused(String text) {
    assertThatExceptionOfType(Refused.class)
        .isThrownBy(() -> Form.parse(text))
        .withMessageStartingWith("Unable to decode query string: ")
        .satisfies(refused -> assertThat(refused.status()).isEqualTo(400));
  }
}
