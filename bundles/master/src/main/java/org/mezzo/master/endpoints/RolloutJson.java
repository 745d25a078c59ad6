package org.mezzo.master.endpoints;

import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.link.messages.ModuleReport;
import org.mezzo.link.messages.ModuleStatus;
import org.mezzo.master.rollouts.DesiredModules;
import org.mezzo.master.rollouts.Generation;
import org.mezzo.master.rollouts.HostView;
import org.mezzo.master.rollouts.Member;
import org.mezzo.master.rollouts.Rollout;
import org.mezzo.master.rollouts.Rollouts;
import org.mezzo.master.rollouts.WantedBundle;

/** Writes which module bundles are wanted, how far their rollout is, and what daemons say. */
final class RolloutJson {
  private RolloutJson() {}

  static void write(Rollouts.Report report, JsonOut json) {
    json.object(
        () -> {
          json.object("generation", () -> generation(report.wanted().current(), json));
          report
              .wanted()
              .previous()
              .ifPresent(it -> json.object("previous", () -> generation(it, json)));
          report
              .wanted()
              .rollout()
              .ifPresent(it -> json.object("rollout", () -> rollout(it, json)));
          json.integer("content_bytes", report.contentBytes());
          Function<String, Generation> wanted = report.wanted().targets();
          List<HostView> hosts =
              report.hosts().stream().sorted(Comparator.comparing(HostView::id)).toList();
          json.array(
              "agents",
              hosts.stream().filter(it -> it.member().role() == Role.AGENT).toList(),
              host -> host(host, report.wanted(), wanted.apply(host.id()), json));
          json.array(
              "masters",
              hosts.stream().filter(it -> it.member().role() == Role.MASTER).toList(),
              host -> host(host, report.wanted(), wanted.apply(host.id()), json));
        });
  }

  private static void generation(Generation generation, JsonOut json) {
    json.integer("number", generation.number());
    json.field("by", generation.who());
    json.field("at", generation.when().toString());
    json.array("modules", generation.modules(), bundle -> bundle(bundle, json));
  }

  private static void bundle(WantedBundle bundle, JsonOut json) {
    json.object(
        () -> {
          json.field("name", bundle.symbolicName());
          json.field("version", bundle.version());
          json.field("sha256", bundle.sha256());
          json.integer("size", bundle.size());
          json.field("selector", bundle.selector().toString());
        });
  }

  private static void rollout(Rollout rollout, JsonOut json) {
    json.field("state", rollout.state().name());
    json.field("reason", rollout.reason());
    json.object("to", () -> generation(rollout.to(), json));
    json.integer("batch", rollout.pace().batch());
    json.field("pause_secs", rollout.pace().pause().toMillis() / 1e3);
    json.field("patience_secs", rollout.pace().patience().toMillis() / 1e3);
    json.integer("more_failures", rollout.pace().moreFailures());
    json.texts("touched", rollout.touched());
  }

  private static void host(HostView host, DesiredModules all, Generation wanted, JsonOut json) {
    json.object(
        () -> {
          json.field("id", host.id());
          json.field("hostname", host.member().hostname());
          if (host.member() instanceof Member.OfMaster master) {
            json.field("leads", master.leads());
          }
          json.field("connected", host.connected());
          json.field("follows", host.follows());
          json.integer("wanted_generation", wanted.number());
          json.field("concerned", all.concerns(host.member()));
          host.awaits().ifPresent(it -> json.field("no_offers", it));
          host.status().ifPresent(status -> status(status, json));
        });
  }

  private static void status(ModuleStatus status, JsonOut json) {
    json.field("process", status.getHostId());
    json.integer("generation", status.getGeneration());
    json.array("modules", status.getModulesList(), report -> module(report, json));
  }

  private static void module(ModuleReport report, JsonOut json) {
    json.object(
        () -> {
          json.field("name", report.getSymbolicName());
          json.field("state", report.getState().name());
          json.field("version", report.getVersion());
          json.field("sha256", report.getSha256());
          json.field("problem", report.getProblem());
        });
  }
}
