package org.mezzo.containerizer.fetching;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** Makes tar archives that no tar would make. */
final class TarFile {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  TarFile file(String name, String content) {
    return member('0', name, "", content.getBytes(StandardCharsets.UTF_8));
  }

  TarFile folder(String name) {
    return member('5', name, "", new byte[0]);
  }

  TarFile symbolicLink(String name, String target) {
    return member('2', name, target, new byte[0]);
  }

  TarFile hardLink(String name, String target) {
    return member('1', name, target, new byte[0]);
  }

  TarFile member(char type, String name, String link, byte[] content) {
    header(type, name, link, content.length);
    bytes.writeBytes(content);
    bytes.writeBytes(new byte[(512 - content.length % 512) % 512]);
    return this;
  }

  /** A header that says how long what follows is, whether it is or not. */
  TarFile header(char type, String name, String link, long size) {
    byte[] header = new byte[512];
    put(header, 0, name);
    put(header, 100, "0000644");
    put(header, 108, "0000000");
    put(header, 116, "0000000");
    put(header, 124, String.format("%011o", size));
    put(header, 136, "00000000000");
    header[156] = (byte) type;
    put(header, 157, link);
    put(header, 257, "ustar\00000");
    Arrays.fill(header, 148, 156, (byte) ' ');
    int sum = 0;
    for (byte b : header) {
      sum += b & 0xff;
    }
    put(header, 148, String.format("%06o\0", sum));
    bytes.writeBytes(header);
    return this;
  }

  private static void put(byte[] header, int offset, String text) {
    byte[] ascii = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(ascii, 0, header, offset, ascii.length);
  }

  Path write(Path file) throws IOException {
    return Files.write(file, bytes.toByteArray());
  }
}
