package org.mezzo.master.reads;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.util.Optional;
import java.util.function.BiFunction;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.Endpoint;
import org.mezzo.daemon.Versions;
import org.mezzo.daemon.calls.CallEndpoint;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.files.FileException;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.master.state.ClusterView;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.FileInfo;
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
        .validate(
            call -> call.hasType() ? payload(call) : Optional.of("Expecting 'type' to be present"));
  }

  /** The sub messages that calls cannot do without. */
  private static Optional<String> payload(Call call) {
    return switch (call.getType()) {
      case LIST_FILES -> present(call.hasListFiles(), "list_files");
      case READ_FILE -> present(call.hasReadFile(), "read_file");
      case GET_METRICS -> present(call.hasGetMetrics(), "get_metrics");
      default -> Optional.empty();
    };
  }

  private static Optional<String> present(boolean there, String field) {
    return there ? Optional.empty() : Optional.of("Expecting '" + field + "' to be present");
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
      case UNKNOWN -> exchange.reject(501, "501 Not Implemented.");
      default ->
          exchange.reject(
              501,
              "The call "
                  + call.getType()
                  + " is not implemented by this version of Mezzo ("
                  + Versions.MEZZO
                  + ")");
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
        () -> {
          Response.ListFiles.Builder files = Response.ListFiles.newBuilder();
          for (FileInfo info : sources.files().browse(path)) {
            files.addFileInfos(info);
          }
          return Response.newBuilder().setType(Response.Type.LIST_FILES).setListFiles(files);
        });
  }

  private void readFile(Call call, CallExchange exchange) {
    Call.ReadFile wanted = call.getReadFile();
    file(
        wanted.getPath(),
        exchange,
        () -> {
          VirtualFiles.Chunk chunk =
              sources
                  .files()
                  .read(
                      wanted.getPath(),
                      wanted.getOffset(),
                      wanted.hasLength() ? wanted.getLength() : -1);
          return Response.newBuilder()
              .setType(Response.Type.READ_FILE)
              .setReadFile(
                  Response.ReadFile.newBuilder()
                      .setSize(chunk.size())
                      .setData(ByteString.copyFrom(chunk.data())));
        });
  }

  private interface FileReader {
    Response.Builder read() throws IOException;
  }

  private void file(String path, CallExchange exchange, FileReader reader) {
    sources
        .files()
        .allowed(path, exchange.principal())
        .thenAcceptAsync(
            allowed -> {
              if (!allowed) {
                exchange.reject(403, "");
                return;
              }
              try {
                exchange.respond(reader.read().build());
              } catch (FileException e) {
                exchange.reject(e.status(), e.getMessage());
              } catch (IOException e) {
                exchange.reject(500, "Cannot read '" + path + "': " + e.getMessage());
              }
            },
            sources.workers());
  }
}
