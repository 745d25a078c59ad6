package org.mezzo.cli;

import java.util.Map;

/** The two daemons, and what the command line has to know of them. */
enum Role {
  MASTER(
      "master",
      "zk",
      Map.of("ZK", "zk", "IP", "ip", "PORT", "port", "CLUSTER", "cluster", "LOGS", "log_dir")),
  AGENT(
      "agent",
      "master",
      Map.of("MASTER", "master", "IP", "ip", "ISOLATION", "isolation", "LOGS", "log_dir"));

  private final String daemon;
  private final String ensembleFlag;
  private final Map<String, String> packageVariables;

  Role(String daemon, String ensembleFlag, Map<String, String> packageVariables) {
    this.daemon = daemon;
    this.ensembleFlag = ensembleFlag;
    this.packageVariables = packageVariables;
  }

  /** The name of its subcommand, bundle and files. */
  String daemon() {
    return daemon;
  }

  /** The factory PID whose configurations are daemons of this role. */
  String factoryPid() {
    return "org.mezzo." + daemon;
  }

  /** The flag that takes the content of {@code /etc/mesos/zk}. */
  String ensembleFlag() {
    return ensembleFlag;
  }

  /** Flags by their variables in {@code /etc/default/mesos*}. */
  Map<String, String> packageVariables() {
    return packageVariables;
  }
}
