package org.mezzo.daemon.calls;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.CallHelp;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.daemon.metrics.MetricsRegistry;

/**
 * The calls of one v1 API by type: checks that each carries what it must, asks for the leave it
 * needs, and hands it to its class. Every API of every daemon has one. Immutable, safe for any
 * thread.
 *
 * @param <C> the call message of the API
 */
public final class CallTable<C extends Message> {
  private static final String FORBIDDEN = "403 Forbidden.";

  /** How long the time of a call counts in percentiles. */
  private static final Duration WINDOW = Duration.ofMinutes(10);

  private record Row<C extends Message>(
      ApiCall<C> call, CallDeclaration<C> declaration, Optional<FieldDescriptor> message) {}

  private final FieldDescriptor type;
  private final Authorization authorization;
  private final Executor answers;
  private final Map<Integer, Row<C>> rows = new TreeMap<>();
  private final Function<String, MetricsRegistry.Timer> timers;

  /**
   * A table.
   *
   * @param prototype the default instance of the call message; its field {@code type} tells calls
   *     apart
   * @param workers where calls are served for which an authorizer had to be asked
   * @param metrics where the times of calls are shown, as {@code <name>/<call>_ms}
   * @param name of the API there, for example {@code master/mezzo/calls/scheduler}
   * @throws IllegalStateException when a call's declaration does not fit the message or stands
   *     twice: the daemon does not start
   */
  public CallTable(
      C prototype,
      Authorization authorization,
      Workers workers,
      MetricsRegistry metrics,
      String name,
      Collection<? extends ApiCall<C>> calls) {
    Descriptor descriptor = prototype.getDescriptorForType();
    this.type = descriptor.findFieldByName("type");
    this.authorization = authorization;
    this.answers = workers.answers();
    this.timers = call -> metrics.timer(name + "/" + call.toLowerCase(Locale.ROOT) + "_ms", WINDOW);
    for (ApiCall<C> call : calls) {
      Row<C> row = row(descriptor, call);
      int number = row.declaration.type().getNumber();
      Row<C> other = rows.put(number, row);
      if (other != null) {
        throw new IllegalStateException(
            row.declaration.name()
                + " is declared by "
                + other.call.getClass().getName()
                + " and by "
                + call.getClass().getName());
      }
    }
  }

  private Row<C> row(Descriptor descriptor, ApiCall<C> call) {
    CallDeclaration<C> declaration = call.declaration();
    String name = call.getClass().getName();
    if (declaration == null || declaration.permission() == null || declaration.type() == null) {
      throw new IllegalStateException(
          name + " does not declare its type and the leave it needs (Permission.none if none)");
    }
    if (!declaration.type().getDescriptorForType().equals(type.getEnumType())) {
      throw new IllegalStateException(
          name + " declares " + declaration.name() + ", which is no " + descriptor.getFullName());
    }
    Optional<FieldDescriptor> message =
        declaration.message().map(field -> descriptor.findFieldByName(field));
    if (declaration.message().isPresent() && message.isEmpty()) {
      throw new IllegalStateException(
          name
              + " has to carry '"
              + declaration.message().get()
              + "', which "
              + descriptor.getFullName()
              + " does not have");
    }
    return new Row<>(call, declaration, message);
  }

  /** What is wrong with a call, for a client; empty when it can be served or is not known. */
  public Optional<String> problem(C call) {
    if (!call.hasField(type)) {
      return Optional.of(absent("type"));
    }
    Row<C> row = rows.get(number(call));
    return row == null
        ? Optional.empty()
        : row.message
            .filter(field -> !call.hasField(field))
            .map(field -> absent(field.getName()))
            .or(() -> row.call.problem(call));
  }

  /** What a client is told of a field that has to be there and is not. */
  public static String absent(String field) {
    return "Expecting '" + field + "' to be present";
  }

  /** Serves a call without {@link #problem}. A type without a row is answered with 501. */
  public void handle(C call, CallExchange exchange) {
    Row<C> row = rows.get(number(call));
    if (row == null) {
      exchange.notServed(((EnumValueDescriptor) call.getField(type)).getName());
      return;
    }
    CompletableFuture<Boolean> allowed =
        row.declaration
            .permission()
            .ask(authorization, exchange.principal(), call)
            .toCompletableFuture();
    if (allowed.isDone() && !allowed.isCompletedExceptionally()) {
      serve(row, call, exchange, allowed.join());
    } else {
      exchange.when(allowed, answers, yes -> serve(row, call, exchange, yes));
    }
  }

  private void serve(Row<C> row, C call, CallExchange exchange, boolean allowed) {
    if (allowed) {
      CallExchange timed = exchange.timed(timers.apply(row.declaration.name()));
      timed.guard(() -> row.call.handle(call, timed));
    } else {
      exchange.reject(403, FORBIDDEN);
    }
  }

  private int number(C call) {
    return ((EnumValueDescriptor) call.getField(type)).getNumber();
  }

  /** What is served, in the order of the types' numbers. */
  public List<CallDeclaration<C>> declarations() {
    List<CallDeclaration<C>> all = new ArrayList<>();
    rows.values().forEach(row -> all.add(row.declaration));
    return all;
  }

  /** What {@code /help} tells of the calls: what an API's endpoint gives as its calls. */
  public List<CallHelp> help() {
    return declarations().stream()
        .map(call -> new CallHelp(call.name(), call.message(), call.permission(), call.help()))
        .toList();
  }
}
