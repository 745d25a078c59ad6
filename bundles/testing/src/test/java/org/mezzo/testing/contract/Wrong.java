package org.mezzo.testing.contract;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Sink;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.api.allocator.InverseOffer;
import org.mezzo.api.anonymous.AnonymousModule;
import org.mezzo.api.authenticatee.Authenticatee;
import org.mezzo.api.authenticatee.Credentials;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Approver;
import org.mezzo.api.authorization.AuthorizationObject;
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
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.ResourceUsage;
import org.mezzo.protocol.v1.Secret;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.resources.Resources;

/** Modules that break one rule each; what is to find it stands at the class. */
final class Wrong {
  private Wrong() {}

  @FailsIn("answersWhateverComes")
  static class HookThatTakesLabelsAway extends HookContract {
    @Override
    protected Hook module() {
      return new HookThatTakesLabelsAwayModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class HookThatTakesLabelsAwayModule extends Plain.OfHook {
      @Override
      public Labels agentRunTaskLabels(TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
        return Labels.getDefaultInstance();
      }
    }
  }

  @FailsIn("answersWhateverComes")
  static class HookThatGivesNull extends HookContract {
    @Override
    protected Hook module() {
      return new HookThatGivesNullModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class HookThatGivesNullModule extends Plain.OfHook {
      @Override
      public Map<String, String> agentTaskEnvironment(TaskInfo task) {
        return null;
      }
    }
  }

  @FailsIn("saysHowItIsBesideCalls")
  static class HookThatDoesNotKnowHowItIs extends HookContract {
    @Override
    protected Hook module() {
      return new HookThatDoesNotKnowHowItIsModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class HookThatDoesNotKnowHowItIsModule extends Plain.OfHook {
      @Override
      public Optional<String> health() {
        return null;
      }
    }
  }

  @FailsIn("beginsWithAnyHookPoint")
  static class HookThatChangesStates extends HookContract {
    @Override
    protected Hook module() {
      return new HookThatChangesStatesModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class HookThatChangesStatesModule extends Plain.OfHook {
      @Override
      public TaskStatus agentTaskStatus(FrameworkID framework, TaskStatus status) {
        return status.toBuilder().setState(TaskState.TASK_LOST).setUuid(ByteString.EMPTY).build();
      }
    }
  }

  @FailsIn("answersWhateverComes")
  static class HookThatThrows extends HookContract {
    @Override
    protected Hook module() {
      return new HookThatThrowsModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class HookThatThrowsModule extends Plain.OfHook {
      @Override
      public List<Resource> agentResources(AgentInfo agent) {
        return List.of(agent.getResources(agent.getResourcesCount()));
      }
    }
  }

  @FailsIn({"opensWorksAndLeavesNothing", "endsCallsThatAreTakenBack"})
  static class HookThatHangs extends HookContract {
    @Override
    protected Hook module() {
      return new HookThatHangsModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class HookThatHangsModule extends Plain.OfHook {
      @Override
      public void agentFetched(ContainerID container, Path sandbox) {
        LockSupport.parkNanos(Long.MAX_VALUE);
        agentFetched(container, sandbox);
      }
    }
  }

  @FailsIn({
    "opensWorksAndLeavesNothing",
    "isSwappedWhileItWorks",
    "rehearsesBesideTheInstanceThatWorks"
  })
  static class HookThatLeavesAThread extends HookContract {
    @Override
    protected Hook module() {
      return new HookThatLeavesAThreadModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class HookThatLeavesAThreadModule extends Plain.OfHook {
      @Override
      public void open(DaemonContext context) {
        Thread thread = new Thread(() -> LockSupport.parkNanos(TimeUnit.MINUTES.toNanos(1)));
        thread.setDaemon(true);
        thread.start();
      }
    }
  }

  @FailsIn("opensWorksAndLeavesNothing")
  static class HookThatIsHeld extends HookContract {
    @Override
    protected Hook module() {
      return new HookThatIsHeldModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class HookThatIsHeldModule extends Plain.OfHook {
      private static final List<Hook> ALL = new CopyOnWriteArrayList<>();

      @Override
      public void open(DaemonContext context) {
        ALL.add(this);
      }
    }
  }

  @FailsIn("rehearsesBesideTheInstanceThatWorks")
  static class HookThatRehearsesInEarnest extends HookContract {
    @Override
    protected Hook module() {
      return new HookThatRehearsesInEarnestModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class HookThatRehearsesInEarnestModule extends Plain.OfHook {
      @Override
      public void open(DaemonContext context) throws IOException {
        Path real = context.workDir().getParent().resolveSibling("daemon/work/real");
        if (context.rehearsal()) {
          Files.writeString(real, "");
        }
      }
    }
  }

  @FailsIn("worksOnWhenItIsGivenParameters")
  static class HookThatCannotBeGivenWhatItHas extends HookContract {
    @Override
    protected Hook module() {
      return new HookThatCannotBeGivenWhatItHasModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class HookThatCannotBeGivenWhatItHasModule extends Plain.OfHook {
      @Override
      public boolean reconfigured(Map<String, String> parameters) {
        throw new IllegalStateException("I have parameters");
      }
    }
  }

  @FailsIn("opensWorksAndLeavesNothing")
  static class HookThatNeedsAContextClassLoader extends HookContract {
    @Override
    protected Hook module() {
      return new HookThatNeedsAContextClassLoaderModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class HookThatNeedsAContextClassLoaderModule extends Plain.OfHook {
      @Override
      public void open(DaemonContext context) throws ClassNotFoundException {
        Thread.currentThread().getContextClassLoader().loadClass("java.lang.String");
      }
    }
  }

  @FailsIn("offersAgainWhatComesBack")
  static class AllocatorWithoutFilters extends AllocatorContract {
    @Override
    protected Allocator module() {
      return new AllocatorWithoutFiltersModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    @Override
    protected boolean keepsQuotas() {
      return false;
    }

    private static final class AllocatorWithoutFiltersModule extends Plain.OfAllocator {
      @Override
      boolean refused(String agent, String framework, String role, Resources offer) {
        return false;
      }
    }
  }

  @FailsIn("offersWhatIsFree")
  static class AllocatorThatOffersTwice extends AllocatorContract {
    @Override
    protected Allocator module() {
      return new AllocatorThatOffersTwiceModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    @Override
    protected boolean keepsQuotas() {
      return false;
    }

    private static final class AllocatorThatOffersTwiceModule extends Plain.OfAllocator {
      @Override
      public void allocated(String frameworkId, String agentId, Resources resources) {}
    }
  }

  @FailsIn("toldTheLedgerAnewItOffersTheSame")
  static class AllocatorThatForgetsWhatIsUsed extends AllocatorContract {
    @Override
    protected Allocator module() {
      return new AllocatorThatForgetsWhatIsUsedModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    @Override
    protected boolean keepsQuotas() {
      return false;
    }

    private static final class AllocatorThatForgetsWhatIsUsedModule extends Plain.OfAllocator {
      @Override
      public void start(AllocatorOptions given, AllocationState state) {
        super.start(given, state);
        state.agents().forEach(agent -> free.put(agent.id(), agent.total()));
      }
    }
  }

  @FailsIn("offersNothingToWhomNothingMayBeOffered")
  static class AllocatorThatOffersSuppressedRoles extends AllocatorContract {
    @Override
    protected Allocator module() {
      return new AllocatorThatOffersSuppressedRolesModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    @Override
    protected boolean keepsQuotas() {
      return false;
    }

    private static final class AllocatorThatOffersSuppressedRolesModule extends Plain.OfAllocator {
      @Override
      public void frameworkUpdated(FrameworkState framework) {
        super.frameworkUpdated(framework.toBuilder().suppressed(Set.of()).build());
      }
    }
  }

  @FailsIn("isSwappedWhileItWorks")
  static class AllocatorThatKeepsNoQuota extends AllocatorContract {
    @Override
    protected Allocator module() {
      return new AllocatorThatKeepsNoQuotaModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class AllocatorThatKeepsNoQuotaModule extends Plain.OfAllocator {}
  }

  @FailsIn("offersAgainWhatComesBack")
  static class AllocatorThatKeepsWhatComesBack extends AllocatorContract {
    @Override
    protected Allocator module() {
      return new AllocatorThatKeepsWhatComesBackModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    @Override
    protected boolean keepsQuotas() {
      return false;
    }

    private static final class AllocatorThatKeepsWhatComesBackModule extends Plain.OfAllocator {
      @Override
      public void released(String frameworkId, String agentId, Resources resources) {}
    }
  }

  @FailsIn("asksBackOnlyWhatIsHeldOnAgentsThatGo")
  static class AllocatorThatAsksEverybodyBack extends AllocatorContract {
    @Override
    protected Allocator module() {
      return new AllocatorThatAsksEverybodyBackModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    @Override
    protected boolean keepsQuotas() {
      return false;
    }

    private static final class AllocatorThatAsksEverybodyBackModule extends Plain.OfAllocator {
      @Override
      public List<InverseOffer> inverseOffers(Optional<Set<String>> candidates) {
        return frameworks.keySet().stream()
            .flatMap(id -> agents.keySet().stream().map(agent -> new InverseOffer(id, agent)))
            .toList();
      }
    }
  }

  @FailsIn({"cleanupLeavesNothingOfAContainer", "cleansUpAfterLaunchesThatFailed"})
  static class IsolatorThatLeavesFiles extends IsolatorContract {
    @Override
    protected Isolator module() {
      return new IsolatorThatLeavesFilesModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class IsolatorThatLeavesFilesModule extends Plain.OfIsolator {
      @Override
      public void cleanup(Container container) {}
    }
  }

  @FailsIn("cleanupCanBeAskedTwice")
  static class IsolatorThatCleansUpOnce extends IsolatorContract {
    @Override
    protected Isolator module() {
      return new IsolatorThatCleansUpOnceModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class IsolatorThatCleansUpOnceModule extends Plain.OfIsolator {
      @Override
      public void cleanup(Container container) throws Exception {
        Files.delete(folder.resolve(container.id()));
      }
    }
  }

  @FailsIn("removesWhatIsLeftOfContainersThatNobodyKnows")
  static class IsolatorThatLeavesTheLost extends IsolatorContract {
    @Override
    protected Isolator module() {
      return new IsolatorThatLeavesTheLostModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class IsolatorThatLeavesTheLostModule extends Plain.OfIsolator {
      @Override
      public void recover(List<RecoveredContainer> containers) {}
    }
  }

  @FailsIn("takesOverWhatAnotherInstanceHasBegun")
  static class IsolatorThatKnowsOnlyItsOwn extends IsolatorContract {
    @Override
    protected Isolator module() {
      return new IsolatorThatKnowsOnlyItsOwnModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class IsolatorThatKnowsOnlyItsOwnModule extends Plain.OfIsolator {
      private final Set<String> own = new HashSet<>();

      @Override
      public LaunchPlan prepare(Container container) throws Exception {
        own.add(container.id());
        return super.prepare(container);
      }

      @Override
      public void update(Container container) {
        if (!own.contains(container.id())) {
          throw new IllegalStateException("unknown");
        }
      }
    }
  }

  @FailsIn("refusesWhatItDoesNotKnowByACheckedExceptionWithoutASecret")
  static class ResolverThatThrowsUnchecked extends SecretResolverContract {
    @Override
    protected SecretResolver module() {
      return new Plain.OfResolver() {
        @Override
        public Secret.Value resolve(Secret secret) throws IOException {
          try {
            return super.resolve(secret);
          } catch (IOException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
          }
        }
      };
    }

    @Override
    protected Map<Secret, String> known() {
      return Map.of(Plain.OfResolver.SECRET, "hush");
    }
  }

  @FailsIn("refusesWhatItDoesNotKnowByACheckedExceptionWithoutASecret")
  static class ResolverThatTalks extends SecretResolverContract {
    @Override
    protected SecretResolver module() {
      return new Plain.OfResolver() {
        @Override
        public Secret.Value resolve(Secret secret) throws IOException {
          try {
            return super.resolve(secret);
          } catch (IOException e) {
            throw new IOException("there is only the secret hush", e);
          }
        }
      };
    }

    @Override
    protected Map<Secret, String> known() {
      return Map.of(Plain.OfResolver.SECRET, "hush");
    }
  }

  @FailsIn("answersManyCallsAtATime")
  static class ResolverThatMixesUp extends SecretResolverContract {
    @Override
    protected SecretResolver module() {
      return new Plain.OfResolver() {
        @Override
        public Secret.Value resolve(Secret secret) throws IOException {
          super.resolve(secret);
          return Secret.Value.newBuilder().setData(ByteString.copyFromUtf8("another")).build();
        }
      };
    }

    @Override
    protected Map<Secret, String> known() {
      return Map.of(Plain.OfResolver.SECRET, "hush");
    }
  }

  @FailsIn("opensWorksAndLeavesNothing")
  static class AuthenticateeThatSplitsHeaders extends AuthenticateeContract {
    @Override
    protected Authenticatee module() {
      return master -> Credentials.authorization("Bearer a\r\nHost: b");
    }
  }

  @FailsIn("isSwappedWhileItWorks")
  static class AuthenticateeThatIsTheHost extends AuthenticateeContract {
    @Override
    protected Authenticatee module() {
      return master -> Credentials.of(Map.of("host", master.getHostname()));
    }
  }

  @FailsIn("opensWorksAndLeavesNothing")
  static class AuthenticateeThatSaysItTwice extends AuthenticateeContract {
    @Override
    protected Authenticatee module() {
      return master -> Credentials.of(Map.of("Authorization", "a", "authorization", "b"));
    }
  }

  @FailsIn("answersWhateverMasterThereIs")
  static class AuthenticateeThatBelievesMasters extends AuthenticateeContract {
    @Override
    protected Authenticatee module() {
      return master -> Credentials.authorization("Bearer " + master.getHostname());
    }

    @Override
    protected MasterInfo master(int port) {
      return super.master(port).toBuilder().setHostname("m").build();
    }
  }

  @FailsIn("answersManyCallsAtATime")
  static class GeneratorThatRefers extends SecretGeneratorContract {
    @Override
    protected SecretGenerator module() {
      return principal ->
          Plain.OfGenerator.secret(principal, "c").toBuilder()
              .setType(Secret.Type.REFERENCE)
              .build();
    }

    @Override
    protected Optional<Principal> owner(String secret) {
      return Plain.OfGenerator.owner(secret);
    }
  }

  @FailsIn("secretsOutliveTheInstanceThatMadeThem")
  static class GeneratorThatForgetsContainers extends SecretGeneratorContract {
    @Override
    protected SecretGenerator module() {
      return principal -> Plain.OfGenerator.secret(principal, "c2");
    }

    @Override
    protected Optional<Principal> owner(String secret) {
      return Plain.OfGenerator.owner(secret);
    }
  }

  @FailsIn("givesEveryExecutorASecretOfItsOwn")
  static class GeneratorThatBelievesIds extends SecretGeneratorContract {
    @Override
    protected SecretGenerator module() {
      return principal -> raw(principal);
    }

    @Override
    protected Optional<Principal> owner(String secret) {
      return rawOwner(secret);
    }
  }

  private static Secret raw(Principal principal) {
    Map<String, String> claims = principal.claims();
    String ids = claims.get("fid") + "/" + claims.get("eid") + "/" + claims.get("cid");
    return Secret.newBuilder()
        .setType(Secret.Type.VALUE)
        .setValue(Secret.Value.newBuilder().setData(ByteString.copyFromUtf8(ids)))
        .build();
  }

  private static Optional<Principal> rawOwner(String secret) {
    String[] parts = secret.split("/", 3);
    return Optional.of(
        new Principal(Optional.empty(), Map.of("fid", parts[0], "eid", parts[1], "cid", parts[2])));
  }

  @FailsIn("refusesWhatUsersGetWrongByACheckedException")
  static class IsolatorThatBelievesUsers extends IsolatorContract {
    @Override
    protected Isolator module() {
      return new IsolatorThatBelievesUsersModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class IsolatorThatBelievesUsersModule extends Plain.OfIsolator {
      @Override
      public LaunchPlan prepare(Container container) throws Exception {
        container.info().ifPresent(info -> info.getRlimitInfo().getRlimits(0));
        return super.prepare(container);
      }
    }
  }

  @FailsIn({"opensWorksAndLeavesNothing", "answersManyCallsAtATime"})
  static class FetcherThatStopsShort extends FetcherContract {
    @Override
    protected Fetcher module() {
      return new FetcherThatStopsShortModule(served);
    }

    @Override
    protected int patience() {
      return 1;
    }

    private final Plain.Served served = new Plain.Served();

    @Override
    protected URI serve(String name, byte[] content) {
      return served.add(name, content);
    }

    @Override
    protected URI missing() {
      return URI.create("plain://served/missing");
    }

    @Override
    protected Optional<URI> stalling() {
      return Optional.of(URI.create("plain://served/stalling"));
    }

    private static final class FetcherThatStopsShortModule extends Plain.OfFetcher {
      FetcherThatStopsShortModule(Plain.Served served) {
        super(served);
      }

      @Override
      byte[] content(URI uri) throws IOException {
        byte[] all = super.content(uri);
        return Arrays.copyOf(all, Math.min(all.length, 300_000));
      }
    }
  }

  @FailsIn("bringsAllOfItIntoTheTargetAlone")
  static class FetcherThatWritesElsewhere extends FetcherContract {
    @Override
    protected Fetcher module() {
      return new FetcherThatWritesElsewhereModule(served);
    }

    @Override
    protected int patience() {
      return 1;
    }

    private final Plain.Served served = new Plain.Served();

    @Override
    protected URI serve(String name, byte[] content) {
      return served.add(name, content);
    }

    @Override
    protected URI missing() {
      return URI.create("plain://served/missing");
    }

    @Override
    protected Optional<URI> stalling() {
      return Optional.of(URI.create("plain://served/stalling"));
    }

    private static final class FetcherThatWritesElsewhereModule extends Plain.OfFetcher {
      FetcherThatWritesElsewhereModule(Plain.Served served) {
        super(served);
      }

      @Override
      public void fetch(Request request) throws IOException, InterruptedException {
        Path folder = request.target().getParent();
        Files.writeString(folder.resolveSibling("log-of-" + folder.getFileName()), "");
        super.fetch(request);
      }
    }
  }

  @FailsIn("saysWhatIsNotThere")
  static class FetcherThatFindsEverything extends FetcherContract {
    @Override
    protected Fetcher module() {
      return new FetcherThatFindsEverythingModule(served);
    }

    @Override
    protected int patience() {
      return 1;
    }

    private final Plain.Served served = new Plain.Served();

    @Override
    protected URI serve(String name, byte[] content) {
      return served.add(name, content);
    }

    @Override
    protected URI missing() {
      return URI.create("plain://served/missing");
    }

    @Override
    protected Optional<URI> stalling() {
      return Optional.of(URI.create("plain://served/stalling"));
    }

    private static final class FetcherThatFindsEverythingModule extends Plain.OfFetcher {
      FetcherThatFindsEverythingModule(Plain.Served served) {
        super(served);
      }

      @Override
      byte[] content(URI uri) {
        try {
          return super.content(uri);
        } catch (IOException e) {
          return new byte[0];
        }
      }
    }
  }

  @FailsIn("isNotHeldUpByWhatNeverComes")
  static class FetcherThatIsNotInterrupted extends FetcherContract {
    @Override
    protected Fetcher module() {
      return new FetcherThatIsNotInterruptedModule(served);
    }

    @Override
    protected int patience() {
      return 1;
    }

    private final Plain.Served served = new Plain.Served();

    @Override
    protected URI serve(String name, byte[] content) {
      return served.add(name, content);
    }

    @Override
    protected URI missing() {
      return URI.create("plain://served/missing");
    }

    @Override
    protected Optional<URI> stalling() {
      return Optional.of(URI.create("plain://served/stalling"));
    }

    private static final class FetcherThatIsNotInterruptedModule extends Plain.OfFetcher {
      FetcherThatIsNotInterruptedModule(Plain.Served served) {
        super(served);
      }

      @Override
      public void fetch(Request request) throws IOException, InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(25);
        while (request.uri().getPath().equals("/stalling") && System.nanoTime() < end) {
          Thread.interrupted();
          LockSupport.parkNanos(1_000_000);
        }
        super.fetch(request);
      }
    }
  }

  @FailsIn("describesWhatIsThere")
  static class FetcherThatDescribesTheFirst extends FetcherContract {
    @Override
    protected Fetcher module() {
      return new FetcherThatDescribesTheFirstModule(served);
    }

    @Override
    protected int patience() {
      return 1;
    }

    private final Plain.Served served = new Plain.Served();

    @Override
    protected URI serve(String name, byte[] content) {
      return served.add(name, content);
    }

    @Override
    protected URI missing() {
      return URI.create("plain://served/missing");
    }

    @Override
    protected Optional<URI> stalling() {
      return Optional.of(URI.create("plain://served/stalling"));
    }

    private static final class FetcherThatDescribesTheFirstModule extends Plain.OfFetcher {
      FetcherThatDescribesTheFirstModule(Plain.Served served) {
        super(served);
      }

      @Override
      public Description describe(URI uri) throws IOException, InterruptedException {
        return new Description(super.describe(uri).size(), Optional.of("1"));
      }
    }
  }

  @FailsIn("refusesWhatProvesNothing")
  static class AuthenticatorThatThrows extends HttpAuthenticatorContract {
    @Override
    protected HttpAuthenticator module() {
      return new AuthenticatorThatThrowsModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    @Override
    protected Map<String, String> accepted() {
      return Plain.OfAuthenticator.ACCEPTED;
    }

    @Override
    protected List<String> refused() {
      return List.of("Token anna:of-somebody-else");
    }

    private static final class AuthenticatorThatThrowsModule extends Plain.OfAuthenticator {
      @Override
      public Result authenticate(Request request) throws Exception {
        String token = request.header("authorization").orElseThrow().split(" ")[1];
        return token.isEmpty() ? Result.refused("no token") : super.authenticate(request);
      }
    }
  }

  @FailsIn({"refusesWhatProvesNothing", "opensWorksAndLeavesNothing"})
  static class AuthenticatorThatBelieves extends HttpAuthenticatorContract {
    @Override
    protected HttpAuthenticator module() {
      return new AuthenticatorThatBelievesModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    @Override
    protected Map<String, String> accepted() {
      return Plain.OfAuthenticator.ACCEPTED;
    }

    @Override
    protected List<String> refused() {
      return List.of("Token anna:of-somebody-else");
    }

    private static final class AuthenticatorThatBelievesModule extends Plain.OfAuthenticator {
      @Override
      public Result authenticate(Request request) {
        return Result.of(Principal.named("anna"));
      }
    }
  }

  @FailsIn("answersManyCallsAtATime")
  static class AuthenticatorThatMixesUp extends HttpAuthenticatorContract {
    @Override
    protected HttpAuthenticator module() {
      return new AuthenticatorThatMixesUpModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    @Override
    protected Map<String, String> accepted() {
      return Plain.OfAuthenticator.ACCEPTED;
    }

    @Override
    protected List<String> refused() {
      return List.of("Token anna:of-somebody-else");
    }

    private static final class AuthenticatorThatMixesUpModule extends Plain.OfAuthenticator {
      private volatile String header = "";

      @Override
      public Result authenticate(Request request) {
        header = request.header("authorization").orElse("");
        LockSupport.parkNanos(1_000_000);
        return ACCEPTED.get("anna").equals(header)
            ? Result.of(Principal.named("anna"))
            : Result.refused("unknown");
      }
    }
  }

  @FailsIn("opensWorksAndLeavesNothing")
  static class AuthenticatorThatTells extends HttpAuthenticatorContract {
    @Override
    protected HttpAuthenticator module() {
      return new AuthenticatorThatTellsModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    @Override
    protected Map<String, String> accepted() {
      return Plain.OfAuthenticator.ACCEPTED;
    }

    @Override
    protected List<String> refused() {
      return List.of("Token anna:of-somebody-else");
    }

    private static final class AuthenticatorThatTellsModule extends Plain.OfAuthenticator {
      @Override
      public Result authenticate(Request request) throws Exception {
        Result result = super.authenticate(request);
        return result.principal().isPresent()
            ? result
            : Result.refused("unknown: " + request.header("authorization").orElse(""));
      }
    }
  }

  @FailsIn("answersWhoeverAsks")
  static class AuthorizerThatNeedsANameOfAll extends AuthorizerContract {
    @Override
    protected Authorizer module() {
      return new AuthorizerThatNeedsANameOfAllModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    @Override
    protected List<Question> allowed() {
      return List.of(new Question(Optional.of("anna"), Action.VIEW_FLAGS, AuthorizationObject.ANY));
    }

    @Override
    protected List<Question> refused() {
      return List.of(new Question(Optional.empty(), Action.VIEW_FLAGS, AuthorizationObject.ANY));
    }

    private static final class AuthorizerThatNeedsANameOfAllModule extends Plain.OfAuthorizer {
      @Override
      public Approver approver(Optional<Principal> subject, Set<Action> actions) throws Exception {
        Optional<String> name = subject.map(principal -> principal.value().orElseThrow());
        return super.approver(name.map(Principal::named), actions);
      }
    }
  }

  @FailsIn("decidesManyObjectsAtOnceAndAlike")
  static class AuthorizerThatChangesItsMind extends AuthorizerContract {
    @Override
    protected Authorizer module() {
      return new AuthorizerThatChangesItsMindModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    @Override
    protected List<Question> allowed() {
      return List.of(new Question(Optional.of("anna"), Action.VIEW_FLAGS, AuthorizationObject.ANY));
    }

    @Override
    protected List<Question> refused() {
      return List.of(new Question(Optional.empty(), Action.VIEW_FLAGS, AuthorizationObject.ANY));
    }

    private static final class AuthorizerThatChangesItsMindModule extends Plain.OfAuthorizer {
      @Override
      public Approver approver(Optional<Principal> subject, Set<Action> actions) throws Exception {
        Approver first = super.approver(subject, actions);
        AtomicInteger asked = new AtomicInteger();
        return (action, object) ->
            asked.incrementAndGet() <= 1000 && first.approved(action, object);
      }
    }
  }

  @FailsIn("refusesWhatUsersGetWrongByACheckedException")
  static class LoggerThatBelievesUsers extends ContainerLoggerContract {
    @Override
    protected ContainerLogger module() {
      return new LoggerThatBelievesUsersModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    @Override
    protected List<String> variables() {
      return List.of("FILES");
    }

    private static final class LoggerThatBelievesUsersModule extends Plain.OfLogger {
      @Override
      public LogPlan prepare(Container container, Map<String, String> environment)
          throws Exception {
        Integer.parseInt(environment.getOrDefault("FILES", "1"));
        return super.prepare(container, environment);
      }
    }
  }

  @FailsIn("opensWorksAndLeavesNothing")
  static class LoggerWithoutAPlan extends ContainerLoggerContract {
    @Override
    protected ContainerLogger module() {
      return new LoggerWithoutAPlanModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    @Override
    protected List<String> variables() {
      return List.of("FILES");
    }

    private static final class LoggerWithoutAPlanModule extends Plain.OfLogger {
      @Override
      public LogPlan prepare(Container container, Map<String, String> environment) {
        return null;
      }
    }
  }

  @FailsIn("estimatesWhateverRuns")
  static class EstimatorThatLendsPorts extends ResourceEstimatorContract {
    @Override
    protected ResourceEstimator module() {
      return new EstimatorThatLendsPortsModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class EstimatorThatLendsPortsModule extends Plain.OfEstimator {
      @Override
      public Resources oversubscribable(ResourceUsage usage) {
        return Samples.resources("ports:[1-2]");
      }
    }
  }

  @FailsIn("estimatesWhateverRuns")
  static class EstimatorThatLendsTooMuch extends ResourceEstimatorContract {
    @Override
    protected ResourceEstimator module() {
      return new EstimatorThatLendsTooMuchModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class EstimatorThatLendsTooMuchModule extends Plain.OfEstimator {
      @Override
      public Resources oversubscribable(ResourceUsage usage) {
        return Samples.resources("cpus:2000000000");
      }
    }
  }

  @FailsIn("correctsWhateverRuns")
  static class ControllerThatEndsAll extends QosControllerContract {
    @Override
    protected QosController module() {
      return new ControllerThatEndsAllModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class ControllerThatEndsAllModule extends Plain.OfController {
      @Override
      public List<QosCorrection> corrections(ResourceUsage usage) {
        return usage.getExecutorsList().stream()
            .map(each -> QosCorrection.kill(each, "it is in the way"))
            .toList();
      }
    }
  }

  @FailsIn("correctsWhateverRuns")
  static class ControllerWithoutReasons extends QosControllerContract {
    @Override
    protected QosController module() {
      return new ControllerWithoutReasonsModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class ControllerWithoutReasonsModule extends Plain.OfController {
      @Override
      public List<QosCorrection> corrections(ResourceUsage usage) throws Exception {
        return super.corrections(usage).stream()
            .map(it -> QosCorrection.kill(it.frameworkId(), it.executorId(), "", ""))
            .toList();
      }
    }
  }

  @FailsIn("servesSeveralDaemonsOfOneProcess")
  static class AnonymousThatIsAloneInTheProcess extends AnonymousModuleContract {
    @Override
    protected AnonymousModule module() {
      return new AnonymousThatIsAloneInTheProcessModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class AnonymousThatIsAloneInTheProcessModule extends Plain.OfAnonymous {
      private static final AtomicBoolean TAKEN = new AtomicBoolean();

      @Override
      public void open(DaemonContext context) {
        if (TAKEN.getAndSet(true)) {
          throw new IllegalStateException("the port is in use");
        }
        super.open(context);
      }

      @Override
      public void close() throws InterruptedException {
        super.close();
        TAKEN.set(false);
      }
    }
  }

  @FailsIn("opensWorksAndLeavesNothing")
  static class AnonymousThatWorksOn extends AnonymousModuleContract {
    @Override
    protected AnonymousModule module() {
      return new AnonymousThatWorksOnModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class AnonymousThatWorksOnModule extends Plain.OfAnonymous {
      @Override
      public void close() {}
    }
  }

  @FailsIn("saysHowItIsBesideCalls")
  static class AnonymousThatIsIll extends AnonymousModuleContract {
    @Override
    protected AnonymousModule module() {
      return new AnonymousThatIsIllModule();
    }

    @Override
    protected int patience() {
      return 1;
    }

    private static final class AnonymousThatIsIllModule extends Plain.OfAnonymous {
      @Override
      public Optional<String> health() {
        return Optional.of("nobody listens");
      }
    }
  }

  @FailsIn("opensWorksAndLeavesNothing")
  static class DetectorThatSaysNothing extends Plain.DetectorKit {
    @Override
    protected MasterDetector module() {
      return new DetectorThatSaysNothingModule(election);
    }

    private static final class DetectorThatSaysNothingModule extends Plain.OfDetector {
      DetectorThatSaysNothingModule(Plain.Election election) {
        super(election);
      }

      @Override
      public void detect(Sink<Optional<MasterInfo>> leaders) {}
    }
  }

  @FailsIn("reportsEachChange")
  static class DetectorThatLooksOnce extends Plain.DetectorKit {
    @Override
    protected MasterDetector module() {
      return new DetectorThatLooksOnceModule(election);
    }

    private static final class DetectorThatLooksOnceModule extends Plain.OfDetector {
      DetectorThatLooksOnceModule(Plain.Election election) {
        super(election);
      }

      @Override
      public void detect(Sink<Optional<MasterInfo>> leaders) {
        leaders.report(election.leader().map(this::master));
      }
    }
  }

  @FailsIn("isSilentOnceItIsClosed")
  static class DetectorThatTalksOn extends Plain.DetectorKit {
    @Override
    protected MasterDetector module() {
      return new DetectorThatTalksOnModule(election);
    }

    private static final class DetectorThatTalksOnModule extends Plain.OfDetector {
      DetectorThatTalksOnModule(Plain.Election election) {
        super(election);
      }

      @Override
      public void close() {}
    }
  }

  @FailsIn("opensWorksAndLeavesNothing")
  static class DetectorOfMastersNowhere extends Plain.DetectorKit {
    @Override
    protected MasterDetector module() {
      return new DetectorOfMastersNowhereModule(election);
    }

    private static final class DetectorOfMastersNowhereModule extends Plain.OfDetector {
      DetectorOfMastersNowhereModule(Plain.Election election) {
        super(election);
      }

      @Override
      MasterInfo master(String place) {
        return super.master(place).toBuilder().setHostname(place + "/").build();
      }
    }
  }

  @FailsIn("opensWorksAndLeavesNothing")
  static class ContenderThatSaysNothing extends Plain.ContenderKit {
    @Override
    protected MasterContender module() {
      return new ContenderThatSaysNothingModule(ballot);
    }

    private static final class ContenderThatSaysNothingModule extends Plain.OfContender {
      ContenderThatSaysNothingModule(Plain.Ballot ballot) {
        super(ballot);
      }

      @Override
      void tell(Standing standing) {}
    }
  }

  @FailsIn("opensWorksAndLeavesNothing")
  static class ContenderThatSpeaksTooSoon extends Plain.ContenderKit {
    @Override
    protected MasterContender module() {
      return new ContenderThatSpeaksTooSoonModule(ballot);
    }

    private static final class ContenderThatSpeaksTooSoonModule extends Plain.OfContender {
      ContenderThatSpeaksTooSoonModule(Plain.Ballot ballot) {
        super(ballot);
      }

      @Override
      public void report(Sink<Standing> sink) {
        super.report(sink);
        sink.report(Standing.follows("not entered yet"));
      }
    }
  }

  @FailsIn("leavesWhenItIsClosed")
  static class ContenderThatNeverLeaves extends Plain.ContenderKit {
    @Override
    protected MasterContender module() {
      return new ContenderThatNeverLeavesModule(ballot);
    }

    private static final class ContenderThatNeverLeavesModule extends Plain.OfContender {
      ContenderThatNeverLeavesModule(Plain.Ballot ballot) {
        super(ballot);
      }

      @Override
      public void close() {}
    }
  }

  @FailsIn("isSwappedWhileItWorks")
  static class ContenderThatTakesItsPredecessorForARival extends Plain.ContenderKit {
    @Override
    protected MasterContender module() {
      return new ContenderThatTakesItsPredecessorForARivalModule(ballot);
    }

    private static final class ContenderThatTakesItsPredecessorForARivalModule
        extends Plain.OfContender {
      ContenderThatTakesItsPredecessorForARivalModule(Plain.Ballot ballot) {
        super(ballot);
      }

      @Override
      public void enter(MasterInfo master) {
        super.enter(master);
        if (ballot.isBehind(this)) {
          tell(Standing.follows("another one leads"));
        }
      }
    }
  }

  @FailsIn("oneLeadsAtATime")
  static class ContenderThatAlwaysLeads extends Plain.ContenderKit {
    @Override
    protected MasterContender module() {
      return new ContenderThatAlwaysLeadsModule(ballot);
    }

    private static final class ContenderThatAlwaysLeadsModule extends Plain.OfContender {
      ContenderThatAlwaysLeadsModule(Plain.Ballot ballot) {
        super(ballot);
      }

      @Override
      void tell(Standing standing) {
        super.tell(Standing.leads());
      }
    }
  }

  @FailsIn("leavesAndEntersAgain")
  static class ContenderThatEntersOnce extends Plain.ContenderKit {
    @Override
    protected MasterContender module() {
      return new ContenderThatEntersOnceModule(ballot);
    }

    private static final class ContenderThatEntersOnceModule extends Plain.OfContender {
      ContenderThatEntersOnceModule(Plain.Ballot ballot) {
        super(ballot);
      }

      private boolean left;

      @Override
      public void enter(MasterInfo master) {
        if (!left) {
          super.enter(master);
        }
      }

      @Override
      public void leave() {
        left = true;
        super.leave();
      }
    }
  }
}
