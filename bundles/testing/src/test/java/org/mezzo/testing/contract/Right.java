package org.mezzo.testing.contract;

import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.api.anonymous.AnonymousModule;
import org.mezzo.api.authenticatee.Authenticatee;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.api.checker.Checker;
import org.mezzo.api.contender.MasterContender;
import org.mezzo.api.detector.MasterDetector;
import org.mezzo.api.estimator.ResourceEstimator;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.api.generator.SecretGenerator;
import org.mezzo.api.hook.Hook;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.logger.ContainerLogger;
import org.mezzo.api.qos.QosController;
import org.mezzo.api.secret.SecretResolver;
import org.mezzo.protocol.v1.CheckInfo;
import org.mezzo.protocol.v1.Secret;

/** The least that a module of each kind can be. */
final class Right {
  private Right() {}

  static class OfHook extends HookContract {
    @Override
    protected Hook module() {
      return new Plain.OfHook();
    }
  }

  static class OfAllocator extends AllocatorContract {
    @Override
    protected Allocator module() {
      return new Plain.OfAllocator();
    }

    @Override
    protected boolean keepsQuotas() {
      return false;
    }
  }

  static class OfIsolator extends IsolatorContract {
    @Override
    protected Isolator module() {
      return new Plain.OfIsolator();
    }
  }

  static class OfFetcher extends FetcherContract {
    private final Plain.Served served = new Plain.Served();

    @Override
    protected Fetcher module() {
      return new Plain.OfFetcher(served);
    }

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
  }

  static class OfAuthenticator extends HttpAuthenticatorContract {
    @Override
    protected HttpAuthenticator module() {
      return new Plain.OfAuthenticator();
    }

    @Override
    protected Map<String, String> accepted() {
      return Plain.OfAuthenticator.ACCEPTED;
    }

    @Override
    protected List<String> refused() {
      return List.of("Token anna:of-somebody-else");
    }
  }

  static class OfAuthorizer extends AuthorizerContract {
    @Override
    protected Authorizer module() {
      return new Plain.OfAuthorizer();
    }

    @Override
    protected List<Question> allowed() {
      return List.of(new Question(Optional.of("anna"), Action.VIEW_FLAGS, AuthorizationObject.ANY));
    }

    @Override
    protected List<Question> refused() {
      return List.of(new Question(Optional.empty(), Action.VIEW_FLAGS, AuthorizationObject.ANY));
    }
  }

  static class OfResolver extends SecretResolverContract {
    @Override
    protected SecretResolver module() {
      return new Plain.OfResolver();
    }

    @Override
    protected Map<Secret, String> known() {
      return Map.of(Plain.OfResolver.SECRET, "hush");
    }
  }

  static class OfAuthenticatee extends AuthenticateeContract {
    @Override
    protected Authenticatee module() {
      return new Plain.OfAuthenticatee();
    }
  }

  static class OfGenerator extends SecretGeneratorContract {
    @Override
    protected SecretGenerator module() {
      return new Plain.OfGenerator();
    }

    @Override
    protected Optional<Principal> owner(String secret) {
      return Plain.OfGenerator.owner(secret);
    }
  }

  static class OfLogger extends ContainerLoggerContract {
    @Override
    protected ContainerLogger module() {
      return new Plain.OfLogger();
    }

    @Override
    protected List<String> variables() {
      return List.of("FILES");
    }
  }

  static class OfEstimator extends ResourceEstimatorContract {
    @Override
    protected ResourceEstimator module() {
      return new Plain.OfEstimator();
    }
  }

  static class OfController extends QosControllerContract {
    @Override
    protected QosController module() {
      return new Plain.OfController();
    }
  }

  static class OfAnonymous extends AnonymousModuleContract {
    @Override
    protected AnonymousModule module() {
      return new Plain.OfAnonymous();
    }
  }

  static class OfDetector extends Plain.DetectorKit {
    @Override
    protected MasterDetector module() {
      return new Plain.OfDetector(election);
    }

    @Override
    protected int patience() {
      return 10;
    }
  }

  static class OfContender extends Plain.ContenderKit {
    @Override
    protected MasterContender module() {
      return new Plain.OfContender(ballot);
    }

    @Override
    protected int patience() {
      return 10;
    }
  }

  static class OfChecker extends CheckerContract {
    @Override
    protected Checker module() {
      return new PlainChecker();
    }

    @Override
    protected CheckInfo.Type type() {
      return CheckInfo.Type.TCP;
    }
  }
}
