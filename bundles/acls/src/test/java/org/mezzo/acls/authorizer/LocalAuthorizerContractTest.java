package org.mezzo.acls.authorizer;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.AuthorizerContract;

class LocalAuthorizerContractTest extends AuthorizerContract {
  @Override
  protected Authorizer module() {
    return new LocalAuthorizer();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withFlags(
        Map.of(
            "acls",
            "{\"permissive\": false, \"teardown_frameworks\": [{\"principals\": {\"values\":"
                + " [\"anna\"]}, \"framework_principals\": {\"values\": [\"web\"]}}]}"));
  }

  @Override
  protected List<Question> allowed() {
    return List.of(question("anna", "web"));
  }

  @Override
  protected List<Question> refused() {
    return List.of(question("bert", "web"), question("anna", "other"));
  }

  private static Question question(String subject, String value) {
    return new Question(
        Optional.of(subject), Action.TEARDOWN_FRAMEWORK, AuthorizationObject.of(value));
  }
}
