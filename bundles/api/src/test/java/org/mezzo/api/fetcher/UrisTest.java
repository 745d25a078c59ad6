package org.mezzo.api.fetcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.net.URISyntaxException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UrisTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      quoteCharacter = '\0',
      value = {
        "http://h/a~_~b http://h/a%20b",
        "http://h/a|b http://h/a%7Cb",
        "http://h/{a}[b]^`<c>\" http://h/%7Ba%7D%5Bb%5D%5E%60%3Cc%3E%22",
        "http://h/100% http://h/100%25",
        "http://h/%zz%4 http://h/%25zz%254",
        "http://h/%41%2f http://h/%41%2f",
        "http://h/\u00fc\ud83d\ude00 http://h/%C3%BC%F0%9F%98%80",
        "http://h/a\\b http://h/a%5Cb",
        "http://h/a?b|c=[d]&e#f|g http://h/a?b%7Cc=%5Bd%5D&e#f%7Cg",
        "http://h/a?b?c/d http://h/a?b?c/d",
        "http://h?x http://h/?x",
        "http://h:80/@scope/a http://h:80/@scope/a",
        "http://h:/a http://h/a",
        "http://[::1]:80/a http://[::1]:80/a",
        "http://m\u00fcller.example/a http://xn--mller-kva.example/a",
        "http://u:p|w@my_host:80/a http://u:p%7Cw@my_host:80/a",
        "hdfs://a:1,b:2/x hdfs://a:1,b:2/x",
        "s3://my_bucket/x~_~y s3://my_bucket/x%20y",
      })
  void encodesWhatMayNotStandAsItIs(String text, String uri) throws Exception {
    assertThat(Uris.parse(text.replace("~_~", " ")).toString()).isEqualTo(uri);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "host/path",
        "/path",
        "http://h/a\r\nX: y",
        "http://h/a\tb",
        "http://h/a\u007f",
        "http:///a",
        "http://:80/a",
        "http://a@b@c/d",
        "http://h:port/a",
        "http://h:99999/a",
        "http://h:1234567/a",
        "http://a b/c",
        "http://good\\@evil/c",
        "http://a%2fb/c",
        "http://[::1/c",
        "s3://h:99999999999@@/x\u0000"
      })
  void refusesWhatWouldGoElsewhereOrSaySomethingElse(String text) {
    assertThatThrownBy(() -> Uris.parse(text)).isInstanceOf(URISyntaxException.class);
  }

  @Test
  void tellsThePartsOfAnAuthority() throws Exception {
    URI uri = Uris.parse("http://me:pw@my_host:8080/a");
    assertThat(uri.getHost()).as("what java.net.URI knows").isNull();
    assertThat(Uris.host(uri)).contains("my_host");
    assertThat(Uris.port(uri)).isEqualTo(8080);
    assertThat(Uris.userInfo(uri)).contains("me:pw");
    assertThat(Uris.host(URI.create("http://[::1]/a"))).contains("[::1]");
    assertThat(Uris.port(URI.create("http://h/a"))).isEqualTo(-1);
    assertThat(Uris.userInfo(URI.create("http://h/a"))).isEmpty();
    assertThat(Uris.host(URI.create("file:///a"))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      quoteCharacter = '\0',
      value = {
        "http://h/a/b?c d http://h/a/d",
        "http://h/a/b?c /d?e http://h/d?e",
        "http://h/a/b?c ?e http://h/a/b?e",
        "http://h/a/b?c #e http://h/a/b?c#e",
        "http://h/a/b ../d http://h/d",
        "http://h/a/b ../../../d http://h/d",
        "http://h/a/b ./ http://h/a/",
        "http://h/a/b /x//y http://h/x//y",
        "http://h/a/b //other_host/x http://other_host/x",
        "http://h/a/b https://o/x|y https://o/x%7Cy",
        "http://h/a/b c|d?e=/../f http://h/a/c%7Cd?e=/../f",
        "http://u:p@h/a/b c http://u:p@h/a/c",
      })
  void resolvesAsRfc3986Says(String base, String reference, String expected) throws Exception {
    assertThat(Uris.resolve(Uris.parse(base), " " + reference + " ").toString())
        .isEqualTo(expected);
  }

  @Test
  void aReferenceWithASchemeMustBeWhole() {
    assertThatThrownBy(() -> Uris.resolve(URI.create("http://h/a"), "mailto:x"))
        .isInstanceOf(URISyntaxException.class);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      quoteCharacter = '\0',
      value = {
        "http://me:secret@h:80/a?token=secret http://h:80/a?...",
        "http://me:secret@h/a#secret http://h/a",
        "http://h/a http://h/a",
        "http://me:sec/secret@h/a http://...",
        "http://me:secret@x@h/a http://...",
        "file:///a?b file:///a?b",
        "/a?b /a?b",
      })
  void showsNoSecrets(String text, String shown) {
    assertThat(Uris.shown(text)).isEqualTo(shown);
    assertThatThrownBy(() -> Uris.parse(text + "\n"))
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("secret"));
  }
}
