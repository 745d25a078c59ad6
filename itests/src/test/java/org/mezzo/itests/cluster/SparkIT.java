package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.cluster.ZooKeeperCluster.Master;

/**
 * Apache Spark, submitted as its users do, with the driver of the distribution first on its class
 * path.
 */
@EnabledIfSystemProperty(named = ThirdParty.PROPERTY, matches = ".+")
class SparkIT {
  /** What Spark 2.2 reaches into on Java 17. */
  private static final List<String> OPENED =
      ThirdParty.opened(
          "java.io",
          "java.lang",
          "java.lang.invoke",
          "java.lang.reflect",
          "java.net",
          "java.nio",
          "java.util",
          "java.util.concurrent",
          "sun.nio.ch");

  private static final int PARTS = 60;

  /** Parts that are done before the master dies; the others wait for the next one to lead. */
  private static final int FREE = 8;

  @TempDir Path folder;
  private ZooKeeperCluster cluster;

  @BeforeEach
  void start() throws Exception {
    cluster = new ZooKeeperCluster(folder);
  }

  @AfterEach
  void stop() throws Exception {
    cluster.close();
  }

  private ThirdParty submit(String... job) throws Exception {
    Path built = ThirdParty.target("spark");
    Path home = built.resolve("home");
    List<String> arguments = new ArrayList<>();
    arguments.add("-Xmx512m");
    arguments.addAll(OPENED);
    arguments.addAll(
        List.of("-cp", ThirdParty.classPath(ThirdParty.driver(), home.resolve("jars") + "/*")));
    arguments.add("org.apache.spark.deploy.SparkSubmit");
    arguments.addAll(List.of("--master", "mesos://" + cluster.zk(), "--class", "Jobs"));
    for (String setting :
        List.of(
            "spark.mesos.executor.home=" + home,
            "spark.executorEnv.JAVA_HOME=" + System.getProperty("java.home"),
            "spark.executor.memory=512m",
            "spark.executor.extraJavaOptions=" + String.join(" ", OPENED),
            "spark.cores.max=2",
            "spark.ui.enabled=false",
            "spark.driver.host=127.0.0.1",
            "spark.driver.bindAddress=127.0.0.1")) {
      arguments.addAll(List.of("--conf", setting));
    }
    arguments.add(built.resolve("jobs.jar").toString());
    arguments.addAll(List.of(job));
    return cluster.own(ThirdParty.start(folder, arguments));
  }

  private static long finished(ThirdParty job) throws Exception {
    return job.stderr().lines().filter(it -> it.contains("Finished task")).count();
  }

  @Test
  void jobsAreDoneWhicheverMasterDies() throws Exception {
    Master first = cluster.masters("first", "second", "third");
    cluster.agent("agent", "--resources=cpus:2;mem:4096;disk:1000");
    first.awaitAgents(1);

    ThirdParty pi = submit("pi", "20");
    assertThat(pi.await()).as(pi.stderr()).isZero();
    assertThat(pi.stdout()).startsWith("Pi is roughly 3.14");

    Path gate = folder.resolve("gate");
    ThirdParty shuffle =
        submit("shuffle", Integer.toString(PARTS), Integer.toString(FREE), gate.toString());
    Await.until("some of it is done", ThirdParty.LIMIT, () -> finished(shuffle) == FREE);
    first.process().kill();
    cluster.awaitLeaderAfter(first);
    assertThat(finished(shuffle)).as("the job is in its middle").isEqualTo(FREE);
    Files.createFile(gate);
    assertThat(shuffle.await()).as(shuffle.stderr()).isZero();
    assertThat(shuffle.stdout()).isEqualTo("Counted {0=15000, 1=15000, 2=15000, 3=15000}\n");
    // Without a word of an executor that was lost, or begun anew.
    assertThat(shuffle.stderr())
        .contains("Mesos task 0 is now TASK_RUNNING")
        .doesNotContain("Mesos task 1 ", "TASK_LOST");
  }
}
