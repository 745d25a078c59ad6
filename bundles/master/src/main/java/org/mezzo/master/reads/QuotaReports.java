package org.mezzo.master.reads;

import java.util.TreeMap;
import org.mezzo.api.allocator.Quota;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.transitions.Quotas;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.quota.QuotaInfo;
import org.mezzo.protocol.v1.quota.QuotaStatus;

/** The quotas of a cluster in both forms (rule 264). Stateless. */
public final class QuotaReports {
  private QuotaReports() {}

  /** Of the roles that may be seen, sorted by name. */
  @SuppressWarnings("deprecation")
  public static QuotaStatus of(MasterState state, Visibility visibility) {
    QuotaStatus.Builder all = QuotaStatus.newBuilder();
    new TreeMap<>(visibility.quotas(state.quotas()))
        .forEach(
            (role, quota) -> {
              all.addInfos(info(role, quota));
              all.addConfigs(Quotas.message(role, quota));
            });
    return all.build();
  }

  /** The form of old, which knows guarantees only. */
  private static QuotaInfo info(String role, Quota quota) {
    QuotaInfo.Builder info = QuotaInfo.newBuilder().setRole(role);
    for (String name : quota.guarantees().names()) {
      info.addGuarantee(
          Resource.newBuilder()
              .setName(name)
              .setType(Value.Type.SCALAR)
              .setScalar(Quotas.scalar(quota.guarantees().get(name))));
    }
    return info.build();
  }
}
