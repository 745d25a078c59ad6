package org.mezzo.modules.leases;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.mezzo.modules.ModuleConfiguration;
import org.mezzo.modules.ParameterDescriptions;
import org.mezzo.modules.leases.Registration.Announcement;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The parameters that are set for modules, and the way of a change to those who hold leases. */
final class Configuration implements ModuleConfiguration {
  private static final Logger LOG = LoggerFactory.getLogger(Configuration.class);

  private record Name(String kind, String name) {}

  private final LeaseTable table;
  private final Map<Name, Map<String, String>> values = new ConcurrentHashMap<>();

  Configuration(LeaseTable table) {
    this.table = table;
  }

  @Override
  public Map<String, String> values(String kind, String name) {
    return values.getOrDefault(new Name(kind, name), Map.of());
  }

  /** What is set for a registered module. */
  Map<String, String> values(Registration registration) {
    Announcement announcement = registration.announcement();
    return values(announcement.kind(), announcement.name());
  }

  @Override
  public void restore(String kind, String name, Map<String, String> set) {
    if (set.isEmpty()) {
      values.remove(new Name(kind, name));
    } else {
      values.put(new Name(kind, name), Map.copyOf(set));
    }
  }

  private List<Registration> registrations(String kind, String name) {
    List<Registration> found = new ArrayList<>();
    table.locked(
        () ->
            table.registrations().stream()
                .filter(
                    it ->
                        it.announcement().kind().equals(kind)
                            && it.announcement().name().equals(name))
                .forEach(found::add));
    return found;
  }

  @Override
  public Optional<ParameterDescriptions> described(String kind, String name) {
    return registrations(kind, name).stream()
        .max(LeaseTable.PREFERENCE)
        .flatMap(Registration::parameters);
  }

  @Override
  public Map<String, String> parameters(
      long bundleId, String kind, String name, Map<String, String> given, Map<String, String> set) {
    Optional<ParameterDescriptions> described =
        registrations(kind, name).stream()
            .filter(it -> it.announcement().bundleId() == bundleId)
            .findFirst()
            .flatMap(Registration::parameters);
    return checked(kind, name, described, given, set);
  }

  /**
   * The same of a registered module, which also is said of parameters that it does not describe.
   * Reads its bundle at first.
   */
  Map<String, String> parameters(
      Registration registration,
      String daemon,
      Map<String, String> given,
      Map<String, String> set) {
    Announcement announcement = registration.announcement();
    Optional<ParameterDescriptions> described = registration.parameters();
    Map<String, String> all =
        checked(announcement.kind(), announcement.name(), described, given, set);
    described.ifPresent(
        it -> {
          List<String> unknown = it.unknown(all);
          if (!unknown.isEmpty()) {
            LOG.warn(
                "{} of {} is given parameters that it does not describe: {}. There are {}",
                Lease.label(registration),
                daemon,
                String.join(", ", unknown),
                it.names());
          }
        });
    return all;
  }

  private static Map<String, String> checked(
      String kind,
      String name,
      Optional<ParameterDescriptions> described,
      Map<String, String> given,
      Map<String, String> set) {
    Map<String, String> all = new TreeMap<>(given);
    all.putAll(set);
    String module = kind + " '" + name + "'";
    List<String> objections = described.map(it -> it.objections(module, all)).orElse(List.of());
    if (!objections.isEmpty()) {
      throw new IllegalArgumentException(
          "%s; give it another value in --modules, or by mezzo module config %s/%s"
              .formatted(String.join(", and ", objections), kind, name));
    }
    return Map.copyOf(all);
  }

  @Override
  public CompletionStage<List<Changed>> change(
      String kind, String name, Map<String, String> wanted) {
    List<CompletableFuture<Changed>> changes = new ArrayList<>();
    table.locked(
        () -> {
          restore(kind, name, wanted);
          changes.addAll(table.configure(kind, name));
        });
    return CompletableFuture.allOf(changes.toArray(CompletableFuture<?>[]::new))
        .thenApply(unused -> changes.stream().map(CompletableFuture::join).toList());
  }
}
