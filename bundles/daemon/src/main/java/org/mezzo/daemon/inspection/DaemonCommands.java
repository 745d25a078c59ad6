package org.mezzo.daemon.inspection;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

/**
 * What the shell shows of a process and its daemons. A plain object, which Gogo finds by its
 * properties; rows of texts, of which the first has the titles, become a table there.
 */
@Component(
    service = DaemonCommands.class,
    property = {
      "osgi.command.scope=mezzo",
      "osgi.command.function=flags",
      "osgi.command.function=metrics",
      "osgi.command.function=threads",
      "mezzo.command.view=flags",
      "mezzo.command.view=metrics",
      "mezzo.command.view=threads"
    })
public final class DaemonCommands {
  private static final int FRAMES = 40;

  private final List<RunningDaemon> daemons = new CopyOnWriteArrayList<>();

  @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
  void add(RunningDaemon daemon) {
    daemons.add(daemon);
  }

  void remove(RunningDaemon daemon) {
    daemons.remove(daemon);
  }

  private List<RunningDaemon> sorted() {
    return daemons.stream().sorted(Comparator.comparing(RunningDaemon::name)).toList();
  }

  /** {@code mezzo:flags}: those that were given or have a value by default, of all daemons. */
  @Descriptor("lists the flags with which the daemons of this process were started")
  public List<List<String>> flags() {
    return flags("");
  }

  /** {@code mezzo:flags PART}: those that have this in their names. */
  @Descriptor("lists the flags that have this in their names")
  public List<List<String>> flags(@Descriptor("part of a name, such as timeout") String part) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("DAEMON", "FLAG", "VALUE"));
    for (RunningDaemon daemon : sorted()) {
      daemon.startedWith().shown().entrySet().stream()
          .filter(flag -> flag.getKey().contains(part))
          .sorted(Map.Entry.comparingByKey())
          .forEach(flag -> rows.add(List.of(daemon.name(), flag.getKey(), flag.getValue())));
    }
    return found(rows, "flag", part);
  }

  /** {@code mezzo:metrics PART}: the numbers that have this in their names, of all daemons. */
  @Descriptor("lists the numbers of all daemons of this process that have this in their names")
  public List<List<String>> metrics(
      @Descriptor("part of a name, such as master/tasks") String part) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("DAEMON", "METRIC", "VALUE"));
    for (RunningDaemon daemon : sorted()) {
      daemon
          .measured()
          .forEach(
              (name, value) -> {
                if (name.contains(part)) {
                  rows.add(List.of(daemon.name(), name, number(value)));
                }
              });
    }
    return found(rows, "metric", part);
  }

  private static List<List<String>> found(List<List<String>> rows, String what, String part) {
    if (rows.size() == 1) {
      throw new IllegalArgumentException(
          "No daemon of this process has a %s with '%s' in its name".formatted(what, part));
    }
    return rows;
  }

  private static String number(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? Long.toString((long) value)
        : String.format(Locale.ROOT, "%.3f", value);
  }

  /** {@code mezzo:threads}: all of the process, those that have worked most first. */
  @Descriptor("lists the threads of this process, those that have worked most first")
  public List<List<String>> threads() {
    ThreadMXBean bean = ManagementFactory.getThreadMXBean();
    record Row(ThreadInfo info, long nanos) {}
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("ID", "THREAD", "STATE", "PROCESSOR"));
    Arrays.stream(bean.getThreadInfo(bean.getAllThreadIds()))
        .filter(Objects::nonNull)
        .map(info -> new Row(info, Math.max(0, bean.getThreadCpuTime(info.getThreadId()))))
        .sorted(Comparator.comparingLong(Row::nanos).reversed())
        .forEach(
            row ->
                rows.add(
                    List.of(
                        Long.toString(row.info.getThreadId()),
                        row.info.getThreadName(),
                        row.info.getThreadState().toString(),
                        TimeUnit.NANOSECONDS.toMillis(row.nanos) + " ms")));
    return rows;
  }

  /** {@code mezzo:threads PART}: what those do now that have this in their names. */
  @Descriptor("shows what those threads do now that have this in their names")
  public String threads(@Descriptor("part of a name, such as -loop") String part) {
    ThreadMXBean bean = ManagementFactory.getThreadMXBean();
    String stacks =
        Arrays.stream(bean.getThreadInfo(bean.getAllThreadIds(), FRAMES))
            .filter(Objects::nonNull)
            .filter(info -> info.getThreadName().contains(part))
            .map(DaemonCommands::stack)
            .collect(Collectors.joining("\n"));
    if (stacks.isEmpty()) {
      throw new IllegalArgumentException(
          "No thread of this process has '%s' in its name".formatted(part));
    }
    return stacks;
  }

  private static String stack(ThreadInfo info) {
    StringBuilder text =
        new StringBuilder(info.getThreadName()).append(' ').append(info.getThreadState());
    if (info.getLockName() != null) {
      text.append(" on ").append(info.getLockName());
      if (info.getLockOwnerName() != null) {
        text.append(", which ").append(info.getLockOwnerName()).append(" has");
      }
    }
    for (StackTraceElement frame : info.getStackTrace()) {
      text.append("\n  ").append(frame);
    }
    return text.toString();
  }
}
