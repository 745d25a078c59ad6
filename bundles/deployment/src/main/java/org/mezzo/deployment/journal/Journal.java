package org.mezzo.deployment.journal;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Verdict;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What deployment remembers: verdicts by digest, what was good by symbolic name, in which
 * generation a jar came, which bundle was installed after which, what has rehearsed well, which
 * ones are being tried right now, what operators set of modules' parameters, and what was done.
 * Each change is on disk when the method that makes it returns: a killed process forgets nothing, a
 * machine that fails nothing that was decided.
 *
 * <p>When it can no longer be written, which is said once, it goes on in memory. Thread-safe.
 */
public final class Journal implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Journal.class);

  /** Beyond these the oldest are forgotten. */
  private static final int MOST_ACTIONS = 100;

  /** Of each kind that is not about bundles, so that what was done to these is not forgotten. */
  private static final int MOST_OTHERS = 20;

  private static final Set<Action.Kind> OTHERS =
      EnumSet.of(Action.Kind.LOG_LEVEL, Action.Kind.CONFIGURE);

  private static final int MOST_VERDICTS = 1_000;

  /** From this size on, in bytes, the file is replaced by what it amounts to. */
  private static final long COMPACT_FROM = 1 << 20;

  /**
   * So many ends of the process in a row while several new bundles were being opened bar all of
   * them, because which one it was cannot be told; and so many bar one that had proven itself.
   */
  static final int MOST_ENDS = 3;

  /**
   * So many while several were being opened that had proven themselves bar these. Whoever kills a
   * process again and again for reasons of his own must not be left without modules; a host that
   * ends by itself comes to this number soon.
   */
  static final int MOST_ENDS_TOGETHER = 10;

  private enum Entry {
    VERDICT,
    PARDON,
    GOOD,
    FORMER,
    ARRIVED,
    LEFT,
    SEATED,
    UNSEATED,
    STARTING,
    OPENING,
    REHEARSING,
    PASSED,
    SURVIVED,
    ENDED_WITH,
    PARAMETERS,
    BEGUN,
    STAGE,
    DONE
  }

  private record Jar(String file, String digest) {}

  private record Arrival(long generation, String symbolicName) {}

  /**
   * What a file of the folder holds.
   *
   * @param digest of the file
   * @param symbolicName of the bundle
   */
  public record Content(String digest, String symbolicName) {}

  /** A module, whatever bundle it is in. */
  public record Module(String kind, String name) {}

  /**
   * A bundle among those that are installed.
   *
   * @param number of those with a module of the same kind and name the highest is preferred
   */
  public record Seat(long number, String version, String digest) {}

  private static final class Pending {
    final long id;
    final Instant at;
    final Action.Kind kind;
    final String principal;
    final String symbolicName;
    final String from;
    final String to;
    final List<Action.Stage> stages = new ArrayList<>();

    Pending(
        long id,
        Instant at,
        Action.Kind kind,
        String principal,
        String symbolicName,
        String from,
        String to) {
      this.id = id;
      this.at = at;
      this.kind = kind;
      this.principal = principal;
      this.symbolicName = symbolicName;
      this.from = from;
      this.to = to;
    }
  }

  private final JournalFile file;
  private final Map<String, Verdict> verdicts = new LinkedHashMap<>();
  private final Map<String, Good> goods = new HashMap<>();

  /** The digest that served before the one that is seated, by symbolic name. */
  private final Map<String, String> formers = new HashMap<>();

  private final Map<Jar, Arrival> arrivals = new HashMap<>();
  private final Map<String, Seat> seats = new HashMap<>();
  private final Map<Module, Map<String, String>> parameters = new LinkedHashMap<>();
  private final Map<String, Entry> trials = new LinkedHashMap<>();
  private final Map<String, Integer> ends = new HashMap<>();
  private final Set<String> passed = new HashSet<>();

  /** How many rehearsals of a digest run now. */
  private final Map<String, Integer> rehearsals = new HashMap<>();

  /** What {@link #trials} say of those when their rehearsals are over; nothing of others. */
  private final Map<String, Entry> beneath = new HashMap<>();

  private final Map<Long, Pending> pending = new LinkedHashMap<>();
  private final Deque<Action> actions = new ArrayDeque<>();
  private long lastId;
  private boolean broken;
  private boolean lazy;

  private Journal(JournalFile file) {
    this.file = file;
  }

  static Journal open(Path path) throws IOException {
    Journal journal = new Journal(JournalFile.open(path));
    for (List<String> fields : journal.file.takeEntries()) {
      try {
        journal.apply(Entry.valueOf(fields.get(0)), fields);
      } catch (RuntimeException e) {
        // Of a later version of this program, perhaps.
        LOG.warn("{} has a line that says nothing to this version: {}", path, fields);
      }
    }
    journal.endInterrupted();
    return journal;
  }

  private synchronized void write(boolean force, Entry entry, Object... values) {
    List<String> fields = new ArrayList<>(List.of(entry.name()));
    for (Object value : values) {
      fields.add(String.valueOf(value));
    }
    apply(entry, fields);
    if (broken) {
      return;
    }
    try {
      file.append(fields, force && !lazy);
      if (file.size() > COMPACT_FROM) {
        file.replace(snapshot());
      }
    } catch (IOException e) {
      broken = true;
      LOG.error(
          "The journal of deployment cannot be written ({}): what is decided from now on is"
              + " forgotten when this process ends. Make room and restart",
          e.toString());
    }
  }

  private void apply(Entry entry, List<String> fields) {
    switch (entry) {
      case VERDICT -> applyVerdict(fields);
      case PARDON -> verdicts.remove(fields.get(1));
      case GOOD ->
          goods.put(
              fields.get(1),
              new Good(
                  fields.get(1),
                  fields.get(2),
                  fields.get(3),
                  Boolean.parseBoolean(fields.get(4))));
      case FORMER -> formers.put(fields.get(1), fields.get(2));
      case ARRIVED ->
          arrivals.put(
              new Jar(fields.get(1), fields.get(2)),
              // The name is not told by what early versions wrote.
              new Arrival(Long.parseLong(fields.get(3)), fields.size() > 4 ? fields.get(4) : ""));
      case LEFT -> arrivals.remove(new Jar(fields.get(1), fields.get(2)));
      case SEATED ->
          seats.put(
              fields.get(1), new Seat(Long.parseLong(fields.get(2)), fields.get(3), fields.get(4)));
      case UNSEATED -> {
        seats.remove(fields.get(1));
        goods.remove(fields.get(1));
        formers.remove(fields.get(1));
      }
      case STARTING, OPENING, REHEARSING -> trials.put(fields.get(1), entry);
      case PASSED -> passed.add(fields.get(1));
      case SURVIVED -> {
        trials.remove(fields.get(1));
        ends.remove(fields.get(1));
      }
      case ENDED_WITH -> {
        trials.remove(fields.get(1));
        ends.put(fields.get(1), Integer.parseInt(fields.get(2)));
      }
      case PARAMETERS -> applyParameters(fields);
      case BEGUN -> applyBegun(fields);
      case STAGE -> {
        Pending change = pending.get(Long.parseLong(fields.get(1)));
        if (change != null) {
          change.stages.add(stage(fields.get(2), fields.get(3)));
        }
      }
      case DONE -> applyDone(fields);
    }
  }

  private void applyVerdict(List<String> fields) {
    verdicts.remove(fields.get(1));
    passed.remove(fields.get(1));
    verdicts.put(
        fields.get(1),
        new Verdict(
            fields.get(1),
            fields.get(2),
            fields.get(3),
            Verdict.Kind.valueOf(fields.get(4)),
            fields.get(5),
            Instant.parse(fields.get(6))));
    if (verdicts.size() > MOST_VERDICTS) {
      Iterator<String> oldest = verdicts.keySet().iterator();
      oldest.next();
      oldest.remove();
    }
  }

  private void applyParameters(List<String> fields) {
    Module module = new Module(fields.get(1), fields.get(2));
    Map<String, String> values = new TreeMap<>();
    for (int i = 3; i + 1 < fields.size(); i += 2) {
      values.put(fields.get(i), fields.get(i + 1));
    }
    if (values.isEmpty()) {
      parameters.remove(module);
    } else {
      parameters.put(module, Collections.unmodifiableMap(values));
    }
  }

  private void applyBegun(List<String> fields) {
    long id = Long.parseLong(fields.get(1));
    lastId = Math.max(lastId, id);
    pending.put(
        id,
        new Pending(
            id,
            Instant.parse(fields.get(2)),
            Action.Kind.valueOf(fields.get(3)),
            fields.get(4),
            fields.get(5),
            fields.get(6),
            fields.get(7)));
  }

  private void applyDone(List<String> fields) {
    Pending change = pending.remove(Long.parseLong(fields.get(1)));
    if (change == null) {
      return;
    }
    actions.addFirst(
        new Action(
            change.id,
            change.principal,
            change.at,
            change.kind,
            change.symbolicName,
            change.from,
            change.to,
            Boolean.parseBoolean(fields.get(2)),
            fields.get(3),
            Duration.ofMillis(Long.parseLong(fields.get(4))),
            Duration.ofMillis(Long.parseLong(fields.get(5))),
            change.stages));
    for (Action.Kind kind : OTHERS) {
      actions.stream()
          .filter(action -> action.kind() == kind)
          .skip(MOST_OTHERS)
          .findFirst()
          .ifPresent(actions::remove);
    }
    while (actions.size() > MOST_ACTIONS) {
      actions.removeLast();
    }
  }

  private static Action.Stage stage(String what, String millis) {
    return new Action.Stage(what, Duration.ofMillis(Long.parseLong(millis)));
  }

  /** What the last process had begun and not ended is ended now, and said to be half done. */
  private void endInterrupted() {
    for (Pending change : List.copyOf(pending.values())) {
      String last =
          change.stages.isEmpty()
              ? "before anything was done"
              : "after this stage: " + change.stages.get(change.stages.size() - 1).what();
      done(
          change.id,
          false,
          "the process ended " + last + "; what runs now is what 'deployments' says",
          Duration.ZERO,
          Duration.ZERO);
    }
  }

  private List<List<String>> snapshot() {
    List<List<String>> lines = new ArrayList<>();
    verdicts.values().forEach(verdict -> lines.add(line(Entry.VERDICT, fields(verdict))));
    goods.values().forEach(good -> lines.add(line(Entry.GOOD, fields(good))));
    formers.forEach((name, digest) -> lines.add(line(Entry.FORMER, name, digest)));
    // Of what is gone for good nobody asks any more.
    passed.retainAll(digests());
    passed.forEach(digest -> lines.add(line(Entry.PASSED, digest)));
    arrivals.forEach(
        (jar, arrival) ->
            lines.add(
                line(
                    Entry.ARRIVED,
                    jar.file,
                    jar.digest,
                    arrival.generation,
                    arrival.symbolicName)));
    seats.forEach(
        (name, seat) ->
            lines.add(line(Entry.SEATED, name, seat.number, seat.version, seat.digest)));
    ends.forEach((digest, number) -> lines.add(line(Entry.ENDED_WITH, digest, number)));
    trials.forEach((digest, entry) -> lines.add(line(entry, digest)));
    parameters.forEach(
        (module, values) -> lines.add(line(Entry.PARAMETERS, fields(module, values))));
    actions
        .descendingIterator()
        .forEachRemaining(
            action -> {
              lines.add(
                  line(
                      Entry.BEGUN,
                      action.id(),
                      action.at(),
                      action.kind(),
                      action.principal(),
                      action.symbolicName(),
                      action.fromVersion(),
                      action.toVersion()));
              addStages(lines, action.id(), action.stages());
              lines.add(
                  line(
                      Entry.DONE,
                      action.id(),
                      action.succeeded(),
                      action.outcome(),
                      action.took().toMillis(),
                      action.gap().toMillis()));
            });
    for (Pending change : pending.values()) {
      lines.add(
          line(
              Entry.BEGUN,
              change.id,
              change.at,
              change.kind,
              change.principal,
              change.symbolicName,
              change.from,
              change.to));
      addStages(lines, change.id, change.stages);
    }
    return lines;
  }

  private static void addStages(List<List<String>> lines, long id, List<Action.Stage> stages) {
    stages.forEach(
        stage -> lines.add(line(Entry.STAGE, id, stage.what(), stage.after().toMillis())));
  }

  private static List<String> line(Entry entry, Object... values) {
    List<String> fields = new ArrayList<>(List.of(entry.name()));
    for (Object value : values) {
      fields.add(String.valueOf(value));
    }
    return fields;
  }

  private static Object[] fields(Verdict verdict) {
    return new Object[] {
      verdict.digest(),
      verdict.symbolicName(),
      verdict.version(),
      verdict.kind(),
      verdict.reason(),
      verdict.at()
    };
  }

  private static Object[] fields(Module module, Map<String, String> values) {
    List<Object> fields = new ArrayList<>(List.of(module.kind, module.name));
    values.forEach(
        (name, value) -> {
          fields.add(name);
          fields.add(value);
        });
    return fields.toArray();
  }

  private static Object[] fields(Good good) {
    return new Object[] {good.symbolicName(), good.version(), good.digest(), good.proven()};
  }

  /** What operators have set of modules' parameters; those of others are none. */
  public synchronized Map<Module, Map<String, String>> parameters() {
    return new LinkedHashMap<>(parameters);
  }

  /**
   * What operators want of a module's parameters from now on, as a whole.
   *
   * @return whether the next process will know it
   */
  public synchronized boolean parameters(Module module, Map<String, String> values) {
    write(true, Entry.PARAMETERS, fields(module, values));
    return !broken;
  }

  /** The verdict about a digest; empty when nothing is held against it. */
  public synchronized Optional<Verdict> verdict(String digest) {
    return Optional.ofNullable(verdicts.get(digest));
  }

  /** All verdicts, the latest first. */
  public synchronized List<Verdict> verdicts() {
    List<Verdict> latest = new ArrayList<>(verdicts.values());
    Collections.reverse(latest);
    return latest;
  }

  /**
   * Passes a verdict, which stays until it is pardoned. What ended the process stays convicted of
   * that, whatever its remains do while the process ends.
   */
  public synchronized void pass(Verdict verdict) {
    boolean fatal = verdict(verdict.digest()).filter(Verdict::isFatal).isPresent();
    if (!fatal || verdict.isFatal()) {
      write(true, Entry.VERDICT, fields(verdict));
    }
  }

  /** Somebody asks for a digest again: what was held against it counts no more. */
  public synchronized void pardon(String digest) {
    if (verdicts.containsKey(digest)) {
      write(true, Entry.PARDON, digest);
    }
    if (ends.containsKey(digest)) {
      write(true, Entry.SURVIVED, digest);
    }
  }

  /** What to go back to; empty when nothing of that name has served yet. */
  public synchronized Optional<Good> good(String symbolicName) {
    return Optional.ofNullable(goods.get(symbolicName));
  }

  /** Whether a digest has passed its trial and is what to go back to. */
  public synchronized boolean isProven(String symbolicName, String digest) {
    Good good = goods.get(symbolicName);
    return good != null && good.proven() && good.digest().equals(digest);
  }

  /** From now on this is what to go back to. */
  public synchronized void good(Good good) {
    if (!good.equals(goods.get(good.symbolicName()))) {
      write(true, Entry.GOOD, fields(good));
    }
  }

  /** What has served is gone back to, unless something is known that has served for long. */
  public synchronized void served(String symbolicName, String version, String digest) {
    if (good(symbolicName).filter(Good::proven).isEmpty()) {
      good(new Good(symbolicName, version, digest, false));
    }
  }

  /** The digest that served before what runs now; empty when none did, or it is not known. */
  public synchronized Optional<String> former(String symbolicName) {
    return Optional.ofNullable(formers.get(symbolicName));
  }

  /** Another digest takes the place of this one, which served. */
  public synchronized void former(String symbolicName, String digest) {
    if (!digest.equals(formers.get(symbolicName))) {
      write(true, Entry.FORMER, symbolicName, digest);
    }
  }

  /** The digests of what was installed, of what may be gone back to, and of what is being tried. */
  public synchronized Set<String> digests() {
    Set<String> digests = new HashSet<>(trials.keySet());
    goods.values().forEach(good -> digests.add(good.digest()));
    digests.addAll(formers.values());
    seats.values().forEach(seat -> digests.add(seat.digest()));
    return digests;
  }

  /**
   * Which jars lie in the folder. Those that came since the last call are of one new generation.
   *
   * @param contents by the file's name
   * @param unsettled names of files that cannot be read now and count as they did before
   */
  public synchronized void present(Map<String, Content> contents, Set<String> unsettled) {
    for (Jar jar : List.copyOf(arrivals.keySet())) {
      Content now = contents.get(jar.file);
      boolean same = now != null && now.digest.equals(jar.digest);
      if (!same && !unsettled.contains(jar.file)) {
        write(false, Entry.LEFT, jar.file, jar.digest);
      }
    }
    long next = arrivals.values().stream().mapToLong(Arrival::generation).max().orElse(0) + 1;
    contents.forEach(
        (name, content) -> {
          Arrival known = arrivals.get(new Jar(name, content.digest));
          if (known == null || !known.symbolicName.equals(content.symbolicName)) {
            long generation = known == null ? next : known.generation;
            write(false, Entry.ARRIVED, name, content.digest, generation, content.symbolicName);
          }
        });
  }

  /** The generation of a jar that is {@link #present}; 0 for others. */
  public synchronized long generation(String fileName, String digest) {
    Arrival arrival = arrivals.get(new Jar(fileName, digest));
    return arrival == null ? 0 : arrival.generation;
  }

  /** The symbolic names of what a file held when it was last {@link #present}. */
  public synchronized Set<String> held(String fileName) {
    Set<String> names = new HashSet<>();
    arrivals.forEach(
        (jar, arrival) -> {
          if (jar.file.equals(fileName) && !arrival.symbolicName.isEmpty()) {
            names.add(arrival.symbolicName);
          }
        });
    return names;
  }

  /** A bundle was installed after all others, so that its modules are preferred. */
  public synchronized void seatLast(String symbolicName, String version, String digest) {
    long last = seats.values().stream().mapToLong(Seat::number).max().orElse(0);
    Seat seat = seats.get(symbolicName);
    if (seat != null && seat.number == last) {
      seat(symbolicName, version, digest);
    } else {
      write(false, Entry.SEATED, symbolicName, last + 1, version, digest);
    }
  }

  /** A bundle that has a seat has other content. */
  public synchronized void seat(String symbolicName, String version, String digest) {
    Seat seat = new Seat(seats.get(symbolicName).number, version, digest);
    if (!seat.equals(seats.get(symbolicName))) {
      write(false, Entry.SEATED, symbolicName, seat.number, version, digest);
    }
  }

  /** A bundle is there no more, and there is nothing to go back to. */
  public synchronized void unseat(String symbolicName) {
    if (seats.containsKey(symbolicName)) {
      write(false, Entry.UNSEATED, symbolicName);
    }
  }

  /** What was installed of that name when it was last looked after; empty when nothing was. */
  public synchronized Optional<Seat> seat(String symbolicName) {
    return Optional.ofNullable(seats.get(symbolicName));
  }

  /**
   * What was installed when it was last looked after, by symbolic name, the first installed first.
   */
  public synchronized Map<String, Seat> seats() {
    Map<String, Seat> sorted = new LinkedHashMap<>();
    seats.entrySet().stream()
        .sorted(Comparator.comparingLong(entry -> entry.getValue().number))
        .forEach(entry -> sorted.put(entry.getKey(), entry.getValue()));
    return sorted;
  }

  /** Code of a bundle is about to run. */
  public synchronized void starting(String digest) {
    mark(digest, Entry.STARTING);
  }

  /** It was started and may be opened by daemons now. */
  public synchronized void opening(String digest) {
    mark(digest, Entry.OPENING);
  }

  private void mark(String digest, Entry entry) {
    if (rehearsals.containsKey(digest)) {
      beneath.put(digest, entry);
    } else {
      write(false, entry, digest);
    }
  }

  /** A module of a bundle is about to rehearse; several may at a time. */
  public synchronized void rehearsing(String digest) {
    if (rehearsals.merge(digest, 1, Integer::sum) == 1) {
      if (trials.containsKey(digest)) {
        beneath.put(digest, trials.get(digest));
      }
      write(false, Entry.REHEARSING, digest);
    }
  }

  /** As many times as it was {@link #rehearsing}: that is over, however it went. */
  public synchronized void rehearsalOver(String digest) {
    if (rehearsals.merge(digest, -1, Integer::sum) > 0) {
      return;
    }
    rehearsals.remove(digest);
    Entry mark = beneath.remove(digest);
    if (mark == null) {
      close(digest);
    } else {
      write(false, mark, digest);
    }
  }

  /** The modules of a bundle have rehearsed well for whoever uses them, and do so no more. */
  public synchronized void passed(String digest) {
    if (!hasPassed(digest)) {
      write(false, Entry.PASSED, digest);
    }
  }

  /** Whether that was said, and nothing was held against it since. */
  public synchronized boolean hasPassed(String digest) {
    return passed.contains(digest);
  }

  /** The process has outlived being with it, but for a rehearsal that runs now. */
  public synchronized void survived(String digest) {
    if (rehearsals.containsKey(digest)) {
      beneath.remove(digest);
    } else {
      close(digest);
    }
  }

  private void close(String digest) {
    if (trials.containsKey(digest) || ends.containsKey(digest)) {
      write(false, Entry.SURVIVED, digest);
    }
  }

  /** The process ends for a reason that none of the bundles is. */
  public synchronized void survivedAll() {
    List.copyOf(trials.keySet()).forEach(this::close);
  }

  /**
   * Which bundles the process before this one did not survive, and after how many ends in a row.
   * One that was being started is meant for sure; else one that rehearsed, or else one that was
   * being opened and has not proven itself, or else any that was being opened. Of those that have
   * not proven themselves a single one counts at once; what has, and each of several, when this has
   * happened again and again. To be asked once, before anything is tried.
   *
   * <p>What is named here is named again by the next process, until a verdict has been passed and
   * {@link #survived} said.
   *
   * @param trusted whether a digest counts as one that has proven itself from the start
   */
  public synchronized Map<String, Integer> deadly(Predicate<String> trusted) {
    Predicate<String> proven = trusted.or(this::isProven);
    Map<String, Entry> left = new LinkedHashMap<>(trials);
    Set<String> suspects = suspects(left, proven);
    Map<String, Integer> deadly = new LinkedHashMap<>();
    left.forEach(
        (digest, entry) -> {
          int number = ends.getOrDefault(digest, 0) + 1;
          // Bundles are started one by one, while modules of others may rehearse.
          boolean certain =
              suspects.size() == 1
                  || entry == Entry.STARTING && !left.containsValue(Entry.REHEARSING);
          if (!suspects.contains(digest)) {
            survived(digest);
          } else if (number >= tolerated(proven.test(digest), certain)) {
            deadly.put(digest, number);
          } else {
            write(false, Entry.ENDED_WITH, digest, number);
          }
        });
    return deadly;
  }

  private static int tolerated(boolean proven, boolean certain) {
    if (proven) {
      return certain ? MOST_ENDS : MOST_ENDS_TOGETHER;
    }
    return certain ? 1 : MOST_ENDS;
  }

  private static Set<String> suspects(Map<String, Entry> left, Predicate<String> proven) {
    Set<String> suspects = new HashSet<>(left.keySet());
    if (left.containsValue(Entry.STARTING) || left.containsValue(Entry.REHEARSING)) {
      suspects.removeIf(digest -> left.get(digest) == Entry.OPENING);
    } else if (!left.keySet().stream().allMatch(proven)) {
      suspects.removeIf(proven);
    }
    return suspects;
  }

  private boolean isProven(String digest) {
    return goods.values().stream().anyMatch(good -> good.proven() && good.digest().equals(digest));
  }

  /** Which bundles are being tried now. */
  public synchronized Collection<String> trials() {
    return List.copyOf(trials.keySet());
  }

  /**
   * Begins a change.
   *
   * @return its id, greater than those before
   */
  public synchronized long begin(
      Instant at, Action.Kind kind, String principal, String symbolicName, String from, String to) {
    long id = lastId + 1;
    write(false, Entry.BEGUN, id, at, kind, principal, symbolicName, from, to);
    return id;
  }

  /** A begun change has come that far. */
  public void stage(long id, String what, Duration after) {
    write(false, Entry.STAGE, id, what, after.toMillis());
  }

  /** Ends a change. */
  public synchronized Action done(
      long id, boolean succeeded, String outcome, Duration took, Duration gap) {
    write(true, Entry.DONE, id, succeeded, outcome, took.toMillis(), gap.toMillis());
    return actions.getFirst();
  }

  /** The last changes, the newest first. */
  public synchronized List<Action> actions() {
    return List.copyOf(actions);
  }

  /**
   * Whether what is decided need not outlive the machine yet, as while a host boots; when that ends
   * everything is made to.
   */
  public synchronized void lazy(boolean on) {
    lazy = on;
    if (!on && !broken) {
      try {
        file.force();
      } catch (IOException e) {
        LOG.warn("The journal of deployment may not outlive this machine: {}", e.toString());
      }
    }
  }

  @Override
  public synchronized void close() throws IOException {
    broken = true;
    file.close();
  }
}
