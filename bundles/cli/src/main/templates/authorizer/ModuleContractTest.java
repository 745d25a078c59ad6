package {{package}};

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.AuthorizerContract;

class {{class}}ContractTest extends AuthorizerContract {
  @Override
  protected Authorizer module() {
    return new {{class}}();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withParameters(Map.of("administrators", "ann"));
  }

  @Override
  protected List<Question> allowed() {
    return List.of(question("ann", Action.UPDATE_QUOTA), question("eve", Action.VIEW_TASK));
  }

  @Override
  protected List<Question> refused() {
    return List.of(question("eve", Action.UPDATE_QUOTA));
  }

  private static Question question(String who, Action action) {
    return new Question(Optional.of(who), action, AuthorizationObject.ANY);
  }
}
