"use strict";

// Runs one command task through mesos-framework and exits with 0 once it has seen TASK_FINISHED.
// Arguments: host and port of the master.

const { Scheduler, Mesos: Library } = require("mesos-framework");
const Mesos = Library.getMesos();

const scheduler = new Scheduler({
  masterUrl: process.argv[2],
  port: Number(process.argv[3]),
  frameworkName: "node",
  logging: { level: "warn", path: process.cwd() + "/logs", fileName: "node-framework.log" },
  tasks: {
    hello: {
      priority: 1,
      instances: 1,
      commandInfo: new Mesos.CommandInfo(null, null, true, "echo from node", null, null),
      resources: { cpus: 0.1, mem: 32, ports: 0, disk: 0 }
    }
  }
});

scheduler.on("subscribed", () => console.log("event SUBSCRIBED"));
scheduler.on("offers", () => console.log("event OFFERS"));
scheduler.on("update", update => {
  const state = update.status.state;
  console.log("state " + state);
  if (state === "TASK_FINISHED") {
    setTimeout(() => process.exit(0), 500);
  }
});
scheduler.on("error", error => {
  console.log("error " + (error.message || JSON.stringify(error)));
  process.exitCode = 2;
});
scheduler.on("ready", () => scheduler.subscribe());
