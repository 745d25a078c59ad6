package org.mezzo.daemon.json;

import com.google.protobuf.Descriptors.EnumValueDescriptor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.mezzo.flags.Passwords;
import org.mezzo.protocol.v1.Attribute;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.DomainInfo;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.NetworkInfo;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.Task;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.Value;
import org.mezzo.resources.Resources;

/** The shapes that the v0 endpoints of master and agent share. Stateless. */
public final class StateJson {
  private StateJson() {}

  private static final class Sums {
    final Map<String, Long> millis = new LinkedHashMap<>();
    final Map<String, List<long[]>> ranges = new TreeMap<>();
    final Map<String, Set<String>> sets = new TreeMap<>();

    Sums() {
      for (String always : List.of("disk", "mem", "gpus", "cpus")) {
        millis.put(always, 0L);
      }
    }

    List<long[]> ranges(String key) {
      return ranges.computeIfAbsent(key, unused -> new ArrayList<>());
    }

    Set<String> set(String key) {
      return sets.computeIfAbsent(key, unused -> new LinkedHashSet<>());
    }

    void write(JsonOut json) {
      json.object(
          () -> {
            millis.forEach((name, amount) -> json.field(name, amount / 1000.0));
            ranges.forEach((name, all) -> json.field(name, rangesText(all)));
            sets.forEach((name, items) -> json.field(name, setText(items)));
          });
    }
  }

  private static String key(String name, boolean revocable) {
    return revocable ? name + "_revocable" : name;
  }

  /** A field with a resources object: amounts by name. */
  public static void resources(JsonOut json, String name, Resources resources) {
    json.name(name);
    resources(json, resources);
  }

  /**
   * A resources object, amounts by name: scalars, then ranges, then sets; revocable ones under
   * names of their own.
   */
  public static void resources(JsonOut json, Resources resources) {
    Sums sums = new Sums();
    for (org.mezzo.resources.Resource resource : resources) {
      String key = key(resource.name(), resource.kind().isRevocable());
      switch (resource.type()) {
        case SCALAR:
          sums.millis.merge(key, resource.quantity(), Long::sum);
          break;
        case RANGES:
          long[] bounds = resource.ranges();
          for (int i = 0; i < bounds.length; i += 2) {
            sums.ranges(key).add(new long[] {bounds[i], bounds[i + 1]});
          }
          break;
        default:
          sums.set(key).addAll(resource.items());
      }
    }
    sums.write(json);
  }

  /** As {@link #resources(JsonOut, String, Resources)}, of messages. */
  public static void resources(JsonOut json, String name, Collection<Resource> resources) {
    json.name(name);
    resources(json, resources);
  }

  /** As {@link #resources(JsonOut, Resources)}, of messages. */
  public static void resources(JsonOut json, Collection<Resource> resources) {
    Sums sums = new Sums();
    for (Resource resource : resources) {
      String key = key(resource.getName(), resource.hasRevocable());
      switch (resource.getType()) {
        case SCALAR:
          sums.millis.merge(key, Math.round(resource.getScalar().getValue() * 1000), Long::sum);
          break;
        case RANGES:
          for (Value.Range range : resource.getRanges().getRangeList()) {
            sums.ranges(key).add(new long[] {range.getBegin(), range.getEnd()});
          }
          break;
        case SET:
          sums.set(key).addAll(resource.getSet().getItemList());
          break;
        default:
          break;
      }
    }
    sums.write(json);
  }

  /** A field that maps roles to resources objects. */
  public static void resourcesByRole(JsonOut json, String name, Map<String, Resources> roles) {
    json.object(name, () -> roles.forEach((role, resources) -> resources(json, role, resources)));
  }

  /** A field with full resources in the endpoint format. */
  public static void fullResources(JsonOut json, String name, Resources resources) {
    json.array(name, resources.toMessages(Resources.Format.ENDPOINT), json::message);
  }

  /** A field that maps roles to full resources. */
  public static void fullResourcesByRole(JsonOut json, String name, Map<String, Resources> roles) {
    json.object(
        name, () -> roles.forEach((role, resources) -> fullResources(json, role, resources)));
  }

  /** A field with an attributes object; of attributes of one name the last counts. */
  public static void attributes(JsonOut json, String name, Collection<Attribute> attributes) {
    Map<String, Attribute> last = new LinkedHashMap<>();
    attributes.forEach(attribute -> last.put(attribute.getName(), attribute));
    json.object(name, () -> last.forEach((key, attribute) -> attribute(json, key, attribute)));
  }

  private static void attribute(JsonOut json, String name, Attribute attribute) {
    switch (attribute.getType()) {
      case SCALAR:
        json.field(name, attribute.getScalar().getValue());
        break;
      case RANGES:
        json.field(
            name,
            rangesText(
                attribute.getRanges().getRangeList().stream()
                    .map(range -> new long[] {range.getBegin(), range.getEnd()})
                    .toList()));
        break;
      case SET:
        json.field(name, setText(attribute.getSet().getItemList()));
        break;
      default:
        json.field(name, attribute.getText().getValue());
    }
  }

  /** A field with a bare array of labels. */
  public static void labels(JsonOut json, String name, Labels labels) {
    json.array(name, labels.getLabelsList(), label -> label(json, label));
  }

  private static void label(JsonOut json, Label label) {
    json.object(
        () -> {
          json.field("key", label.getKey());
          if (label.hasValue()) {
            json.field("value", label.getValue());
          }
        });
  }

  /** A field with a domain; an empty object when it has no fault domain. */
  public static void domain(JsonOut json, String name, DomainInfo domain) {
    json.object(
        name,
        () -> {
          if (domain.hasFaultDomain()) {
            json.object(
                "fault_domain",
                () -> {
                  json.object(
                      "region",
                      () -> json.field("name", domain.getFaultDomain().getRegion().getName()));
                  json.object(
                      "zone",
                      () -> json.field("name", domain.getFaultDomain().getZone().getName()));
                });
          }
        });
  }

  /** A task of master or agent. */
  public static void task(JsonOut json, Task task) {
    json.object(
        () -> {
          json.field("id", task.getTaskId().getValue());
          json.field("name", task.getName());
          json.field("framework_id", task.getFrameworkId().getValue());
          json.field("executor_id", task.getExecutorId().getValue());
          json.field("slave_id", task.getAgentId().getValue());
          json.field("state", task.getState().name());
          resources(json, "resources", task.getResourcesList());
          if (task.getLimitsCount() > 0) {
            json.object(
                "limits",
                () ->
                    new TreeMap<>(task.getLimitsMap())
                        .forEach((name, value) -> json.field(name, value.getValue())));
          }
          json.field("role", role(task.getResourcesList()));
          json.array("statuses", runs(task.getStatusesList()), status -> status(json, status));
          if (task.hasUser()) {
            json.field("user", task.getUser());
          }
          if (task.hasLabels()) {
            labels(json, "labels", task.getLabels());
          }
          if (task.hasDiscovery()) {
            json.message("discovery", task.getDiscovery());
          }
          if (task.hasContainer()) {
            json.message("container", task.getContainer());
          }
          if (task.hasHealthCheck()) {
            json.message("health_check", Masked.healthCheck(task.getHealthCheck()));
          }
        });
  }

  /** The allocation role of the first resource, or its role of old. */
  public static String role(List<Resource> resources) {
    if (resources.isEmpty()) {
      return "*";
    }
    Resource first = resources.get(0);
    return first.hasAllocationInfo() ? first.getAllocationInfo().getRole() : "*";
  }

  /** Of each run of equal states the last status. */
  private static List<TaskStatus> runs(List<TaskStatus> statuses) {
    List<TaskStatus> kept = new ArrayList<>();
    for (TaskStatus status : statuses) {
      int last = kept.size() - 1;
      if (last >= 0 && kept.get(last).getState() == status.getState()) {
        kept.set(last, status);
      } else {
        kept.add(status);
      }
    }
    return kept;
  }

  /** A task status: no reason, message, source or data. */
  public static void status(JsonOut json, TaskStatus status) {
    json.object(
        () -> {
          json.field("state", status.getState().name());
          json.field("timestamp", status.getTimestamp());
          if (status.hasLabels()) {
            labels(json, "labels", status.getLabels());
          }
          if (status.hasContainerStatus()) {
            containerStatus(json, "container_status", status.getContainerStatus());
          }
          if (status.hasHealthy()) {
            json.field("healthy", status.getHealthy());
          }
        });
  }

  private static void containerStatus(JsonOut json, String name, ContainerStatus status) {
    json.object(
        name,
        () -> {
          if (status.hasContainerId()) {
            json.message("container_id", status.getContainerId());
          }
          if (status.getNetworkInfosCount() > 0) {
            json.array(
                "network_infos",
                status.getNetworkInfosList(),
                network -> networkInfo(json, network));
          }
          if (status.hasCgroupInfo()) {
            json.message("cgroup_info", status.getCgroupInfo());
          }
        });
  }

  private static void networkInfo(JsonOut json, NetworkInfo network) {
    json.object(
        () -> {
          if (network.getGroupsCount() > 0) {
            json.texts("groups", network.getGroupsList());
          }
          if (network.hasLabels() && network.getLabels().getLabelsCount() > 0) {
            labels(json, "labels", network.getLabels());
          }
          if (network.getIpAddressesCount() > 0) {
            json.array("ip_addresses", network.getIpAddressesList(), json::message);
          }
          if (network.hasName()) {
            json.field("name", network.getName());
          }
          if (network.getPortMappingsCount() > 0) {
            json.array("port_mappings", network.getPortMappingsList(), json::message);
          }
        });
  }

  /** A field with a command; passwords in its URIs are not shown. */
  public static void command(JsonOut json, String name, CommandInfo command) {
    json.object(
        name,
        () -> {
          if (command.hasShell()) {
            json.field("shell", command.getShell());
          }
          if (command.hasValue()) {
            json.field("value", command.getValue());
          }
          json.texts("argv", command.getArgumentsList());
          if (command.hasEnvironment()) {
            json.message("environment", command.getEnvironment());
          }
          json.array(
              "uris",
              command.getUrisList(),
              uri ->
                  json.object(
                      () -> {
                        json.field("value", Passwords.masked(uri.getValue()));
                        json.field("executable", uri.getExecutable());
                      }));
        });
  }

  /** An enum value's name in the unversioned API, for example {@code REASON_SLAVE_REMOVED}. */
  public static String enumName(EnumValueDescriptor value) {
    return JsonOut.enumName(value);
  }

  /** {@code [1-3, 7-7]}, sorted and coalesced. */
  static String rangesText(List<long[]> ranges) {
    List<long[]> sorted = new ArrayList<>(ranges);
    sorted.sort((a, b) -> Long.compareUnsigned(a[0], b[0]));
    List<long[]> merged = new ArrayList<>();
    for (long[] range : sorted) {
      long[] last = merged.isEmpty() ? null : merged.get(merged.size() - 1);
      if (last != null && (last[1] == -1 || Long.compareUnsigned(range[0], last[1] + 1) <= 0)) {
        last[1] = Long.compareUnsigned(range[1], last[1]) > 0 ? range[1] : last[1];
      } else {
        merged.add(range.clone());
      }
    }
    return merged.stream()
        .map(range -> Long.toUnsignedString(range[0]) + "-" + Long.toUnsignedString(range[1]))
        .collect(Collectors.joining(", ", "[", "]"));
  }

  private static String setText(Collection<String> items) {
    return items.stream().sorted().collect(Collectors.joining(", ", "{", "}"));
  }
}
