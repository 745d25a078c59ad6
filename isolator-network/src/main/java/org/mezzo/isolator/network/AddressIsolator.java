package org.mezzo.isolator.network;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.RecoveredContainer;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.NetworkInfo;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells where containers can be reached; limits nothing. A container on the network of its machine
 * has the agent's address; one whose process is in a network namespace of its own has the addresses
 * that the kernel shows there, without loopback and link-local ones.
 *
 * <p>Every task gets the agent's address as {@code MESOS_CONTAINER_IP} (rule 214): that of the flag
 * {@code advertise_ip}, else {@code ip}, else the first address of this machine that others can
 * reach.
 */
@Component(service = Isolator.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Isolator.KIND,
    name = "network/addresses",
    version = "0.1.0",
    author = "Mezzo",
    description = "reports the addresses of containers",
    flags = {"advertise_ip", "ip"})
public final class AddressIsolator implements Isolator {
  private static final Logger LOG = LoggerFactory.getLogger(AddressIsolator.class);
  private static final String VARIABLE = "MESOS_CONTAINER_IP";

  private final Path proc;
  private InetAddress agentAddress = InetAddress.getLoopbackAddress();

  /** Looks at the machine's own processes. */
  public AddressIsolator() {
    this(Path.of("/proc"));
  }

  AddressIsolator(Path proc) {
    this.proc = proc;
  }

  /**
   * Finds the agent's address.
   *
   * @throws UnknownHostException when a flag has none
   */
  @Override
  public void open(DaemonContext context) throws UnknownHostException, SocketException {
    String advertised = context.flags().getOrDefault("advertise_ip", "");
    String own = context.flags().getOrDefault("ip", "");
    if (!advertised.isBlank()) {
      agentAddress = InetAddress.getByName(advertised);
    } else if (!own.isBlank() && !InetAddress.getByName(own).isAnyLocalAddress()) {
      agentAddress = InetAddress.getByName(own);
    } else {
      agentAddress = reachable();
      LOG.info(
          "Tasks are told that their address is {}; say otherwise with --advertise_ip",
          agentAddress.getHostAddress());
    }
  }

  private static InetAddress reachable() throws SocketException {
    List<InetAddress> candidates = new ArrayList<>();
    for (NetworkInterface each : Collections.list(NetworkInterface.getNetworkInterfaces())) {
      if (each.isUp() && !each.isLoopback()) {
        candidates.addAll(Collections.list(each.getInetAddresses()));
      }
    }
    return candidates.stream()
        .filter(address -> !address.isLinkLocalAddress())
        // IPv4 first, as false sorts before true.
        .min(Comparator.comparing(address -> !(address instanceof Inet4Address)))
        .orElseGet(InetAddress::getLoopbackAddress);
  }

  @Override
  public void recover(List<RecoveredContainer> containers) {
    // Nothing is kept: every answer is read from the kernel.
  }

  @Override
  public LaunchPlan prepare(Container container) {
    return LaunchPlan.environment(Map.of(VARIABLE, agentAddress.getHostAddress()));
  }

  @Override
  public void isolate(Container container, long pid) {
    // The network is as it is.
  }

  /** Empty when the process is gone, may not be looked at, or has no address yet. */
  @Override
  public Optional<ContainerStatus> status(Container container) throws Exception {
    if (container.pid().isEmpty()) {
      return Optional.empty();
    }
    Path process = proc.resolve(Long.toString(container.pid().getAsLong()));
    List<InetAddress> addresses;
    try {
      Path own = Files.readSymbolicLink(proc.resolve("self/ns/net"));
      addresses =
          Files.readSymbolicLink(process.resolve("ns/net")).equals(own)
              ? List.of(agentAddress)
              : NamespaceAddresses.read(process.resolve("net"));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (AccessDeniedException e) {
      LOG.debug("This account may not see the network of container {}", container.id(), e);
      return Optional.empty();
    } catch (IOException e) {
      if (!Files.exists(process)) {
        return Optional.empty();
      }
      throw e;
    }
    if (addresses.isEmpty()) {
      return Optional.empty();
    }
    NetworkInfo.Builder network = NetworkInfo.newBuilder();
    wanted(container).ifPresent(network::setName);
    for (InetAddress address : addresses) {
      network.addIpAddresses(
          NetworkInfo.IPAddress.newBuilder()
              .setProtocol(
                  address instanceof Inet4Address
                      ? NetworkInfo.Protocol.IPv4
                      : NetworkInfo.Protocol.IPv6)
              .setIpAddress(address.getHostAddress()));
    }
    return Optional.of(ContainerStatus.newBuilder().addNetworkInfos(network).build());
  }

  /** The name of the network that the framework asked for. */
  private static Optional<String> wanted(Container container) {
    return container
        .info()
        .filter(info -> info.getNetworkInfosCount() > 0)
        .map((ContainerInfo info) -> info.getNetworkInfos(0))
        .filter(NetworkInfo::hasName)
        .map(NetworkInfo::getName);
  }

  @Override
  public void cleanup(Container container) {
    // Nothing was made.
  }
}
