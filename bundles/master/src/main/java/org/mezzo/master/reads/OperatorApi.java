package org.mezzo.master.reads;

import com.google.protobuf.ByteString;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.Versions;
import org.mezzo.daemon.border.Endpoint;
import org.mezzo.daemon.calls.CallEndpoint;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.calls.RequiredMessages;
import org.mezzo.daemon.files.FileException;
import org.mezzo.master.state.ClusterView;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.Flag;
import org.mezzo.protocol.v1.Metric;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

/**
 * The operator API of the master, as far as it reads. Calls that change something belong to
 * capabilities that Mezzo does not have yet; they are refused with 501 and say so.
 */
final class OperatorApi {
  private final Reads.Sources sources;
  private final ClusterView cluster;
  private final OperatorStreams streams;

  OperatorApi(Reads.Sources sources, OperatorStreams streams) {
    this.sources = sources;
    this.cluster = sources.cluster();
    this.streams = streams;
  }

  Endpoint endpoint(LeaderGate gate) {
    return new CallEndpoint<>(
            Call.getDefaultInstance(), "master::Call", sources.workers(), this::handle)
        .gate(gate::check)
        .validate(call -> RequiredMessages.missing(call, Set.of()));
  }

  private void handle(Call call, CallExchange exchange) {
    Response.Builder response = Response.newBuilder();
    switch (call.getType()) {
      case GET_HEALTH ->
          exchange.respond(
              response
                  .setType(Response.Type.GET_HEALTH)
                  .setGetHealth(Response.GetHealth.newBuilder().setHealthy(true))
                  .build());
      case GET_VERSION ->
          exchange.respond(
              response
                  .setType(Response.Type.GET_VERSION)
                  .setGetVersion(Response.GetVersion.newBuilder().setVersionInfo(Versions.info()))
                  .build());
      case GET_FLAGS -> flags(exchange);
      case GET_METRICS -> metrics(exchange);
      case LIST_FILES -> listFiles(call, exchange);
      case READ_FILE -> readFile(call, exchange);
      case GET_STATE ->
          read(
              exchange,
              (state, visibility) ->
                  response
                      .setType(Response.Type.GET_STATE)
                      .setGetState(OperatorMessages.state(state, visibility)));
      case GET_AGENTS ->
          read(
              exchange,
              (state, visibility) ->
                  response
                      .setType(Response.Type.GET_AGENTS)
                      .setGetAgents(OperatorMessages.agents(state)));
      case GET_FRAMEWORKS ->
          read(
              exchange,
              (state, visibility) ->
                  response
                      .setType(Response.Type.GET_FRAMEWORKS)
                      .setGetFrameworks(OperatorMessages.frameworks(state, visibility)));
      case GET_EXECUTORS ->
          read(
              exchange,
              (state, visibility) ->
                  response
                      .setType(Response.Type.GET_EXECUTORS)
                      .setGetExecutors(OperatorMessages.executors(state, visibility)));
      case GET_TASKS ->
          read(
              exchange,
              (state, visibility) ->
                  response
                      .setType(Response.Type.GET_TASKS)
                      .setGetTasks(OperatorMessages.tasks(state, visibility)));
      case GET_ROLES ->
          read(
              exchange,
              (state, visibility) ->
                  response
                      .setType(Response.Type.GET_ROLES)
                      .setGetRoles(OperatorMessages.roles(state)));
      case GET_WEIGHTS ->
          read(
              exchange,
              (state, visibility) -> {
                response.setType(Response.Type.GET_WEIGHTS);
                if (!state.weights().isEmpty()) {
                  response.setGetWeights(OperatorMessages.weights(state));
                }
                return response;
              });
      case GET_MASTER ->
          read(
              exchange,
              (state, visibility) ->
                  response
                      .setType(Response.Type.GET_MASTER)
                      .setGetMaster(
                          Response.GetMaster.newBuilder()
                              .setMasterInfo(state.self())
                              .setStartTime(StateEndpoints.seconds(sources.started()))
                              .setElectedTime(StateEndpoints.seconds(state.elected()))));
      case SUBSCRIBE ->
          visible(exchange, (state, visibility) -> streams.subscribe(exchange, visibility));
      default -> exchange.notServed(call.getType());
    }
  }

  private interface Reader {
    void read(MasterState state, Visibility visibility);
  }

  /** Takes the root and what the caller may see of it, and goes on with both. */
  private void visible(CallExchange exchange, Reader reader) {
    Optional<MasterState> state = cluster.state();
    if (state.isEmpty()) {
      exchange.reject(503, "Master has not finished recovery");
      return;
    }
    Visibility.of(sources.authorization(), exchange.principal(), state.get())
        .thenAcceptAsync(visibility -> reader.read(state.get(), visibility), sources.workers());
  }

  private void read(
      CallExchange exchange, BiFunction<MasterState, Visibility, Response.Builder> reader) {
    visible(
        exchange, (state, visibility) -> exchange.respond(reader.apply(state, visibility).build()));
  }

  private void flags(CallExchange exchange) {
    sources
        .authorization()
        .allowed(exchange.principal(), Action.VIEW_FLAGS, Optional.empty())
        .thenAccept(
            allowed -> {
              if (!allowed) {
                exchange.reject(403, "");
                return;
              }
              Response.GetFlags.Builder flags = Response.GetFlags.newBuilder();
              sources
                  .flags()
                  .shown()
                  .forEach(
                      (name, value) ->
                          flags.addFlags(Flag.newBuilder().setName(name).setValue(value)));
              exchange.respond(
                  Response.newBuilder()
                      .setType(Response.Type.GET_FLAGS)
                      .setGetFlags(flags)
                      .build());
            });
  }

  private void metrics(CallExchange exchange) {
    Response.GetMetrics.Builder metrics = Response.GetMetrics.newBuilder();
    sources
        .metrics()
        .snapshot()
        .forEach(
            (name, value) -> metrics.addMetrics(Metric.newBuilder().setName(name).setValue(value)));
    exchange.respond(
        Response.newBuilder().setType(Response.Type.GET_METRICS).setGetMetrics(metrics).build());
  }

  private void listFiles(Call call, CallExchange exchange) {
    String path = call.getListFiles().getPath();
    file(
        path,
        exchange,
        () -> sources.files().browse(path),
        infos ->
            Response.newBuilder()
                .setType(Response.Type.LIST_FILES)
                .setListFiles(Response.ListFiles.newBuilder().addAllFileInfos(infos)));
  }

  private void readFile(Call call, CallExchange exchange) {
    Call.ReadFile wanted = call.getReadFile();
    file(
        wanted.getPath(),
        exchange,
        () ->
            sources
                .files()
                .read(
                    wanted.getPath(),
                    wanted.getOffset(),
                    wanted.hasLength() ? wanted.getLength() : -1),
        chunk ->
            Response.newBuilder()
                .setType(Response.Type.READ_FILE)
                .setReadFile(
                    Response.ReadFile.newBuilder()
                        .setSize(chunk.size())
                        .setData(ByteString.copyFrom(chunk.data()))));
  }

  private <T> void file(
      String path,
      CallExchange exchange,
      Supplier<CompletionStage<T>> read,
      Function<T, Response.Builder> answer) {
    sources
        .files()
        .onBehalfOf(exchange.principal(), path, read)
        .whenCompleteAsync(
            (found, failure) -> {
              if (failure == null) {
                exchange.respond(answer.apply(found).build());
                return;
              }
              FileException reason = FileException.of(failure);
              exchange.reject(
                  reason == null ? 500 : reason.status(),
                  reason == null
                      ? "Cannot read '" + path + "': " + failure.getMessage()
                      : reason.getMessage());
            },
            sources.workers());
  }
}
