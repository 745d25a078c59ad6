package org.mezzo.coordination.zookeeper;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Pattern;

/** The names of candidates' nodes (rule 161). */
final class MasterNodes {
  /** What ZooKeeper appends ten digits to. */
  static final String PREFIX = "json.info_";

  private static final Pattern CANDIDATE = Pattern.compile("json\\.info_(\\d{10})");

  private MasterNodes() {}

  /** The candidate with the lowest sequence; other children, also binary ones, do not count. */
  static Optional<String> leader(Collection<String> children) {
    return children.stream()
        .filter(child -> CANDIDATE.matcher(child).matches())
        .min(Comparator.comparing(child -> child.substring(PREFIX.length())));
  }
}
