package org.mezzo.isolator.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.isolator.Container;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.NetworkInfo;
import org.mezzo.testing.FakeDaemonContext;

class AddressIsolatorTest {
  @TempDir Path proc;

  @Test
  void tasksAreToldTheAgentsAddress() throws Exception {
    assertThat(told(Map.of("ip", "10.1.2.3", "advertise_ip", "192.0.2.7"))).isEqualTo("192.0.2.7");
    assertThat(told(Map.of("ip", "10.1.2.3"))).isEqualTo("10.1.2.3");
    InetAddress found = InetAddress.getByName(told(Map.of("ip", "0.0.0.0")));
    assertThat(found.isAnyLocalAddress()).isFalse();
    assertThat(told(Map.of())).isEqualTo(found.getHostAddress());
    assertThatThrownBy(() -> told(Map.of("advertise_ip", "not an address")))
        .isInstanceOf(UnknownHostException.class);
  }

  @Test
  void aContainerOnTheMachinesNetworkHasTheAgentsAddress() throws Exception {
    namespace("self", "net:[1]");
    namespace("17", "net:[1]");
    assertThat(status(17, Optional.empty()))
        .contains(
            ContainerStatus.newBuilder()
                .addNetworkInfos(NetworkInfo.newBuilder().addIpAddresses(ipv4("10.1.2.3")))
                .build());
  }

  @Test
  void aContainerWithANetworkOfItsOwnHasTheAddressesSeenThere() throws Exception {
    namespace("self", "net:[1]");
    Path net = namespace("17", "net:[2]");
    Files.writeString(
        net.resolve("fib_trie"),
        """
        Main:
          +-- 0.0.0.0/0 3 0 5
             +-- 10.11.0.0/16 2 0 2
                |-- 10.11.0.0
                   /16 link UNICAST
                |-- 10.11.12.13
                   /32 host LOCAL
                |-- 10.11.255.255
                   /32 link BROADCAST
             +-- 127.0.0.0/8 2 0 2
                |-- 127.0.0.1
                   /32 host LOCAL
        Local:
                |-- 10.11.12.13
                   /32 host LOCAL
                |-- 10.11.12.14
                   /32 host LOCAL
                |-- 169.254.0.9
                   /32 host LOCAL
        """);
    Files.writeString(
        net.resolve("if_inet6"),
        """
        00000000000000000000000000000001 01 80 10 80       lo
        20010db8000000000000000000000042 02 40 00 80     eth0
        fe80000000000000021122fffe334455 02 40 20 80     eth0
        """);
    ContainerInfo info =
        ContainerInfo.newBuilder()
            .setType(ContainerInfo.Type.MESOS)
            .addNetworkInfos(NetworkInfo.newBuilder().setName("blue"))
            .build();
    assertThat(status(17, Optional.of(info)))
        .contains(
            ContainerStatus.newBuilder()
                .addNetworkInfos(
                    NetworkInfo.newBuilder()
                        .setName("blue")
                        .addIpAddresses(ipv4("10.11.12.13"))
                        .addIpAddresses(ipv4("10.11.12.14"))
                        .addIpAddresses(
                            NetworkInfo.IPAddress.newBuilder()
                                .setProtocol(NetworkInfo.Protocol.IPv6)
                                .setIpAddress("2001:db8:0:0:0:0:0:42")))
                .build());
  }

  @Test
  void withoutAddressOrProcessThereIsNothingToReport() throws Exception {
    namespace("self", "net:[1]");
    namespace("17", "net:[2]");
    assertThat(status(17, Optional.empty())).isEmpty();
    assertThat(status(18, Optional.empty())).isEmpty();
    assertThat(isolator(Map.of("ip", "10.1.2.3")).status(container(OptionalLong.empty(), null)))
        .isEmpty();
  }

  @Test
  void realProcesses() throws Exception {
    assumeTrue(Files.isSymbolicLink(Path.of("/proc/self/ns/net")), "no network namespaces here");
    AddressIsolator isolator = new AddressIsolator();
    isolator.open(FakeDaemonContext.agent().withFlags(Map.of("ip", "127.0.0.1")));
    Container own = container(OptionalLong.of(ProcessHandle.current().pid()), null);
    assertThat(isolator.status(own).orElseThrow().getNetworkInfos(0).getIpAddressesList())
        .containsExactly(ipv4("127.0.0.1"));
  }

  @Test
  void aRealNamespace() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root makes namespaces");
    assumeTrue(
        present("unshare") && present("ip"), "the programs unshare and ip are not installed");
    Process process =
        new ProcessBuilder(
                "unshare",
                "--net",
                "sh",
                "-c",
                "ip addr add 10.11.12.13/32 dev lo && ip link set lo up && echo ready && read stop")
            .redirectErrorStream(true)
            .start();
    try {
      String line = process.inputReader().readLine();
      assumeTrue("ready".equals(line), "a namespace cannot be made here: " + line);
      AddressIsolator isolator = new AddressIsolator();
      isolator.open(FakeDaemonContext.agent().withFlags(Map.of("ip", "127.0.0.1")));
      ContainerStatus status =
          isolator.status(container(OptionalLong.of(process.pid()), null)).orElseThrow();
      assertThat(status.getNetworkInfos(0).getIpAddressesList())
          .containsExactly(ipv4("10.11.12.13"));
    } finally {
      process.getOutputStream().close();
      if (!process.waitFor(60, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    }
  }

  private static boolean present(String program) {
    return java.util.stream.Stream.of("/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/")
        .anyMatch(folder -> Files.isExecutable(Path.of(folder + program)));
  }

  private static NetworkInfo.IPAddress ipv4(String address) {
    return NetworkInfo.IPAddress.newBuilder()
        .setProtocol(NetworkInfo.Protocol.IPv4)
        .setIpAddress(address)
        .build();
  }

  private Path namespace(String process, String name) throws Exception {
    Files.createDirectories(proc.resolve(process).resolve("ns"));
    Files.createSymbolicLink(proc.resolve(process).resolve("ns/net"), Path.of(name));
    return Files.createDirectories(proc.resolve(process).resolve("net"));
  }

  private String told(Map<String, String> flags) throws Exception {
    return isolator(flags)
        .prepare(container(OptionalLong.empty(), null))
        .environment()
        .get("MESOS_CONTAINER_IP");
  }

  private Optional<ContainerStatus> status(long pid, Optional<ContainerInfo> info)
      throws Exception {
    AddressIsolator isolator = isolator(Map.of("ip", "10.1.2.3"));
    Container container = container(OptionalLong.of(pid), info.orElse(null));
    isolator.recover(List.of());
    isolator.isolate(container, pid);
    Optional<ContainerStatus> status = isolator.status(container);
    isolator.cleanup(container);
    return status;
  }

  private AddressIsolator isolator(Map<String, String> flags) throws Exception {
    AddressIsolator isolator = new AddressIsolator(proc);
    isolator.open(FakeDaemonContext.agent().withFlags(flags));
    return isolator;
  }

  private static Container container(OptionalLong pid, ContainerInfo info) {
    Container.Builder container = Container.builder("c1", Path.of("/nowhere"));
    if (info != null) {
      container.info(info);
    }
    pid.ifPresent(container::pid);
    return container.build();
  }
}
