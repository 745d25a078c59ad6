package org.mezzo.isolator.network;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The addresses of a network namespace, from the files that the kernel shows for any of its
 * processes: no program has to be run inside.
 */
final class NamespaceAddresses {
  private static final String LEAF = "|-- ";
  private static final String OWN = "/32 host LOCAL";

  /** The scope that {@code if_inet6} shows for addresses others can reach. */
  private static final String GLOBAL = "00";

  private NamespaceAddresses() {}

  /** IPv4 first; without loopback and link-local addresses. */
  static List<InetAddress> read(Path net) throws IOException {
    Set<InetAddress> addresses = new LinkedHashSet<>();
    String leaf = "";
    for (String line : lines(net.resolve("fib_trie"))) {
      String text = line.strip();
      if (text.startsWith(LEAF)) {
        leaf = text.substring(LEAF.length());
      } else if (text.equals(OWN)) {
        addresses.add(InetAddress.getByName(leaf));
      }
    }
    for (String line : lines(net.resolve("if_inet6"))) {
      // Address, interface, length of the prefix, scope, flags, name of the interface.
      String[] words = line.strip().split("\\s+");
      if (words.length >= 4 && words[3].equals(GLOBAL)) {
        addresses.add(InetAddress.getByAddress(HexFormat.of().parseHex(words[0])));
      }
    }
    addresses.removeIf(address -> address.isLoopbackAddress() || address.isLinkLocalAddress());
    return new ArrayList<>(addresses);
  }

  /** A kernel without that version of IP has no file. */
  private static List<String> lines(Path file) throws IOException {
    try {
      return Files.readAllLines(file, StandardCharsets.US_ASCII);
    } catch (NoSuchFileException e) {
      return List.of();
    }
  }
}
