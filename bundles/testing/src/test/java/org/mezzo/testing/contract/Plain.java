package org.mezzo.testing.contract;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Sink;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.api.allocator.OfferFilter;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.api.allocator.Quota;
import org.mezzo.api.anonymous.AnonymousModule;
import org.mezzo.api.authenticatee.Authenticatee;
import org.mezzo.api.authenticatee.Credentials;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Approver;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.api.contender.MasterContender;
import org.mezzo.api.contender.Standing;
import org.mezzo.api.detector.MasterDetector;
import org.mezzo.api.estimator.ResourceEstimator;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.api.generator.SecretGenerator;
import org.mezzo.api.hook.Hook;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.RecoveredContainer;
import org.mezzo.api.logger.ContainerLogger;
import org.mezzo.api.logger.LogPlan;
import org.mezzo.api.qos.QosController;
import org.mezzo.api.qos.QosCorrection;
import org.mezzo.api.secret.SecretResolver;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.ResourceUsage;
import org.mezzo.protocol.v1.Secret;
import org.mezzo.resources.Resources;

/** The least that a module of each kind can be, to be spoilt by others. */
final class Plain {
  private Plain() {}

  static class OfHook implements Hook {}

  /** Everything to whoever may have it, the first one first. */
  static class OfAllocator implements Allocator {
    final Map<String, AgentState> agents = new TreeMap<>();
    final Map<String, Resources> free = new HashMap<>();
    final Map<String, FrameworkState> frameworks = new TreeMap<>();
    final List<OfferFilter> filters = new ArrayList<>();
    private AllocatorOptions options;
    private Optional<Set<String>> whitelist = Optional.empty();
    private Clock clock;

    @Override
    public void open(DaemonContext context) {
      clock = context.clock();
    }

    @Override
    public void start(AllocatorOptions given, AllocationState state) {
      options = given;
      whitelist = state.whitelist();
      state.agents().forEach(this::agentAdded);
      state.frameworks().forEach(this::frameworkAdded);
      filters.addAll(state.filters());
    }

    @Override
    public void agentAdded(AgentState agent) {
      agents.put(agent.id(), agent);
      Resources left = agent.total();
      for (Resources used : agent.used().values()) {
        left = left.minus(used.unallocated());
      }
      free.put(agent.id(), left);
    }

    @Override
    public void agentUpdated(AgentState agent) {
      Resources used = agents.put(agent.id(), agent).total().minus(free.get(agent.id()));
      free.put(agent.id(), agent.total().minus(used));
    }

    @Override
    public void agentRemoved(String agentId) {
      agents.remove(agentId);
      free.remove(agentId);
      filters.removeIf(filter -> filter.agentId().equals(agentId));
    }

    @Override
    public void frameworkAdded(FrameworkState framework) {
      frameworks.put(framework.id(), framework);
    }

    @Override
    public void frameworkUpdated(FrameworkState framework) {
      frameworks.put(framework.id(), framework);
    }

    @Override
    public void frameworkRemoved(String frameworkId) {
      frameworks.remove(frameworkId);
      filters.removeIf(filter -> filter.frameworkId().equals(frameworkId));
    }

    @Override
    public void allocated(String frameworkId, String agentId, Resources resources) {
      free.computeIfPresent(agentId, (id, left) -> left.minus(resources.unallocated()));
    }

    @Override
    public void released(String frameworkId, String agentId, Resources resources) {
      free.computeIfPresent(agentId, (id, left) -> left.plus(resources.unallocated()));
    }

    @Override
    public void filterAdded(OfferFilter filter) {
      filters.add(filter);
    }

    @Override
    public void filtersRemoved(String frameworkId, Set<String> roles, Optional<String> agentId) {
      filters.removeIf(filter -> filter.frameworkId().equals(frameworkId));
    }

    @Override
    public void weightsUpdated(Map<String, Double> weights) {}

    @Override
    public void quotasUpdated(Map<String, Quota> quotas) {}

    @Override
    public void whitelistUpdated(Optional<Set<String>> hostnames) {
      whitelist = hostnames;
    }

    @Override
    public List<Proposal> allocate(Optional<Set<String>> candidates) {
      filters.removeIf(filter -> !filter.expires().isAfter(clock.instant()));
      List<Proposal> proposals = new ArrayList<>();
      for (AgentState agent : agents.values()) {
        boolean looked = candidates.map(ids -> ids.contains(agent.id())).orElse(true);
        String host = agent.info().getHostname();
        if (looked && agent.active() && whitelist.map(all -> all.contains(host)).orElse(true)) {
          frameworks.values().forEach(framework -> offer(agent, framework, proposals));
        }
      }
      return proposals;
    }

    private void offer(AgentState agent, FrameworkState framework, List<Proposal> proposals) {
      for (String role : framework.roles()) {
        Resources offer = free.get(agent.id()).allocatableTo(role);
        if (framework.active()
            && !framework.suppressed().contains(role)
            && !framework.constraints().isAgentExcluded(role, agent.info())
            && options.minAllocatable().stream().anyMatch(offer.quantities()::contains)
            && !refused(agent.id(), framework.id(), role, offer)) {
          allocated(framework.id(), agent.id(), offer);
          proposals.add(new Proposal(framework.id(), role, agent.id(), offer.allocatedTo(role)));
        }
      }
    }

    boolean refused(String agent, String framework, String role, Resources offer) {
      return filters.stream()
          .anyMatch(
              each ->
                  each.agentId().equals(agent)
                      && each.frameworkId().equals(framework)
                      && each.role().equals(role)
                      && each.resources().contains(offer));
    }
  }

  /** Makes a file for each container. */
  static class OfIsolator implements Isolator {
    Path folder;

    @Override
    public void open(DaemonContext context) throws IOException {
      folder = Files.createDirectories(context.runtimeDir().resolve("plain"));
    }

    @Override
    public void recover(List<RecoveredContainer> containers) throws IOException {
      List<String> known = containers.stream().map(each -> each.container().id()).toList();
      for (String each : ModuleContract.below(folder)) {
        if (!each.isEmpty() && !known.contains(each)) {
          Files.delete(folder.resolve(each));
        }
      }
    }

    @Override
    public LaunchPlan prepare(Container container) throws Exception {
      Files.writeString(folder.resolve(container.id()), "");
      return LaunchPlan.NONE;
    }

    @Override
    public void isolate(Container container, long pid) throws Exception {}

    @Override
    public void cleanup(Container container) throws Exception {
      Files.deleteIfExists(folder.resolve(container.id()));
    }
  }

  /** What fetchers of the scheme {@code plain} find. */
  static final class Served {
    final Map<String, byte[]> files = new ConcurrentHashMap<>();

    URI add(String name, byte[] content) {
      files.put("/" + name, content);
      return URI.create("plain://served/" + name);
    }
  }

  static class OfFetcher implements Fetcher {
    private final Served served;

    OfFetcher(Served served) {
      this.served = served;
    }

    @Override
    public Set<String> schemes() {
      return Set.of("plain");
    }

    byte[] content(URI uri) throws IOException {
      byte[] content = served.files.get(String.valueOf(uri.getPath()));
      if (content == null) {
        throw new IOException("there is no " + uri);
      }
      return content;
    }

    @Override
    public void fetch(Request request) throws IOException, InterruptedException {
      if (request.uri().getPath().equals("/stalling")) {
        Thread.sleep(request.stallTimeout().toMillis());
      }
      Files.write(request.target(), content(request.uri()));
    }

    @Override
    public Description describe(URI uri) throws IOException, InterruptedException {
      byte[] content = content(uri);
      return new Description(
          Optional.of((long) content.length), Optional.of("" + Arrays.hashCode(content)));
    }
  }

  static class OfAuthenticator implements HttpAuthenticator {
    static final Map<String, String> ACCEPTED = Map.of("anna", "Token anna:of-anna-herself");

    @Override
    public String scheme() {
      return "Token";
    }

    @Override
    public Result authenticate(Request request) throws Exception {
      String header = request.header("authorization").orElse("");
      return ACCEPTED.get("anna").equals(header)
          ? Result.of(Principal.named("anna"))
          : Result.refused("unknown");
    }
  }

  static class OfAuthorizer implements Authorizer {
    @Override
    public Approver approver(Optional<Principal> subject, Set<Action> actions) throws Exception {
      boolean known = subject.flatMap(Principal::value).filter("anna"::equals).isPresent();
      return (action, object) -> known;
    }
  }

  static class OfResolver implements SecretResolver {
    static final Secret SECRET =
        Secret.newBuilder()
            .setType(Secret.Type.REFERENCE)
            .setReference(Secret.Reference.newBuilder().setName("known"))
            .build();

    @Override
    public Secret.Value resolve(Secret secret) throws IOException {
      if (!secret.equals(SECRET)) {
        throw new IOException("there is no such secret");
      }
      return Secret.Value.newBuilder().setData(ByteString.copyFromUtf8("hush")).build();
    }
  }

  static class OfAuthenticatee implements Authenticatee {
    @Override
    public Credentials authenticate(MasterInfo master) throws Exception {
      return Credentials.basic("agent", "s3cret of " + master.getPort());
    }
  }

  static class OfGenerator implements SecretGenerator {
    @Override
    public Secret generate(Principal principal) throws Exception {
      return secret(principal, principal.claims().get("cid"));
    }

    /** The same in another container. */
    static Secret secret(Principal principal, String container) {
      Map<String, String> claims = principal.claims();
      return Secret.newBuilder()
          .setType(Secret.Type.VALUE)
          .setValue(
              Secret.Value.newBuilder()
                  .setData(
                      ByteString.copyFromUtf8(
                          hex(claims.get("fid"))
                              + "."
                              + hex(claims.get("eid"))
                              + "."
                              + hex(container))))
          .build();
    }

    private static String hex(String text) {
      return HexFormat.of().formatHex(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String text(String hex) {
      return new String(HexFormat.of().parseHex(hex), StandardCharsets.UTF_8);
    }

    static Optional<Principal> owner(String secret) {
      String[] parts = secret.split("\\.", -1);
      return Optional.of(
          new Principal(
              Optional.empty(),
              Map.of("fid", text(parts[0]), "eid", text(parts[1]), "cid", text(parts[2]))));
    }
  }

  static class OfLogger implements ContainerLogger {
    @Override
    public LogPlan prepare(Container container, Map<String, String> environment) throws Exception {
      try {
        int older = Integer.parseInt(environment.getOrDefault("FILES", "1"));
        LogPlan.Rotation rotation = new LogPlan.Rotation(LogPlan.Rotation.LEAST_BYTES, older);
        return LogPlan.rotated(rotation, rotation);
      } catch (IllegalArgumentException e) {
        throw new IOException("FILES cannot be: " + e.getMessage(), e);
      }
    }
  }

  static class OfEstimator implements ResourceEstimator {
    @Override
    public Resources oversubscribable(ResourceUsage usage) throws Exception {
      return Samples.resources("cpus:1");
    }
  }

  static class OfController implements QosController {
    @Override
    public List<QosCorrection> corrections(ResourceUsage usage) throws Exception {
      return usage.getExecutorsList().stream()
          .filter(each -> each.getAllocatedList().stream().anyMatch(Resource::hasRevocable))
          .map(each -> QosCorrection.kill(each, "it is in the way"))
          .toList();
    }
  }

  /** An election that is won in the order of entering. */
  static final class Ballot {
    private final List<OfContender> entered = new ArrayList<>();

    synchronized void enter(OfContender who) {
      if (!entered.contains(who)) {
        entered.add(who);
        if (entered.get(0) == who) {
          who.tell(Standing.leads());
        } else if (!entered.get(0).self.equals(who.self)) {
          who.tell(Standing.follows("another one leads"));
        }
      }
    }

    synchronized boolean isBehind(OfContender who) {
      return entered.indexOf(who) > 0;
    }

    synchronized void leave(OfContender who) {
      boolean led = !entered.isEmpty() && entered.get(0) == who;
      entered.remove(who);
      if (led && !entered.isEmpty()) {
        entered.get(0).tell(Standing.leads());
      }
    }
  }

  static class OfContender implements MasterContender {
    final Ballot ballot;
    MasterInfo self = MasterInfo.getDefaultInstance();
    Sink<Standing> standings;

    OfContender(Ballot ballot) {
      this.ballot = ballot;
    }

    void tell(Standing standing) {
      standings.report(standing);
    }

    @Override
    public void report(Sink<Standing> sink) {
      standings = sink;
    }

    @Override
    public void enter(MasterInfo master) {
      self = master;
      ballot.enter(this);
    }

    @Override
    public void leave() {
      ballot.leave(this);
    }

    @Override
    public void close() {
      ballot.leave(this);
    }
  }

  /** Who leads, to whoever wants to hear it. */
  static final class Election {
    private final Set<Consumer<Optional<String>>> followers = new LinkedHashSet<>();
    private Optional<String> leader = Optional.of("127.0.0.1:6000");

    synchronized Optional<String> leader() {
      return leader;
    }

    synchronized boolean elect(Optional<String> next) {
      leader = next;
      followers.forEach(it -> it.accept(next));
      return true;
    }

    synchronized void follow(Consumer<Optional<String>> follower) {
      followers.add(follower);
      follower.accept(leader);
    }

    synchronized void leave(Consumer<Optional<String>> follower) {
      followers.remove(follower);
    }
  }

  static class OfDetector implements MasterDetector {
    final Election election;
    private Consumer<Optional<String>> follower = leader -> {};

    OfDetector(Election election) {
      this.election = election;
    }

    MasterInfo master(String place) {
      int colon = place.indexOf(':');
      return MasterInfo.newBuilder()
          .setId("")
          .setIp(0)
          .setHostname(place.substring(0, colon))
          .setPort(Integer.parseInt(place.substring(colon + 1)))
          .build();
    }

    @Override
    public void detect(Sink<Optional<MasterInfo>> leaders) {
      follower = leader -> leaders.report(leader.map(this::master));
      election.follow(follower);
    }

    @Override
    public void close() {
      election.leave(follower);
    }
  }

  /** Counts on a thread of its own. */
  static class OfAnonymous implements AnonymousModule {
    private final AtomicLong ticks = new AtomicLong();
    private ScheduledExecutorService thread;

    @Override
    public void open(DaemonContext context) {
      context.metrics().gauge("ticks", ticks::get);
      thread = Executors.newSingleThreadScheduledExecutor();
      thread.scheduleWithFixedDelay(ticks::incrementAndGet, 0, 1, TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() throws InterruptedException {
      thread.shutdownNow();
      thread.awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  /** The kit of detectors that follow an election which a test decides. */
  abstract static class DetectorKit extends MasterDetectorContract {
    final Election election = new Election();

    @Override
    protected Optional<String> leader() {
      return election.leader();
    }

    @Override
    protected boolean elect(Optional<String> next) {
      return election.elect(next);
    }

    @Override
    protected int patience() {
      return 1;
    }
  }

  /** The kit of contenders that stand in one election. */
  abstract static class ContenderKit extends MasterContenderContract {
    final Ballot ballot = new Ballot();

    @Override
    protected int patience() {
      return 1;
    }
  }
}
