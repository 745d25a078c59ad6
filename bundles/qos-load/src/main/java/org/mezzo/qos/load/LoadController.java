package org.mezzo.qos.load;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.qos.QosController;
import org.mezzo.api.qos.QosCorrection;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.ResourceUsage;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;
import org.osgi.service.metatype.annotations.Designate;

/**
 * Ends all executors on lent resources while the load of the machine is above what it was told: the
 * module parameters {@code load_threshold_5min} and {@code load_threshold_15min}, numbers that the
 * averages of 5 and 15 minutes may have. One of them is enough.
 */
@Component(service = QosController.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = QosController.KIND,
    name = "load",
    version = "0.1.0",
    author = "Mezzo",
    description = "ends what runs on lent resources while the machine's load is too high")
@Designate(ocd = LoadParameters.class)
public final class LoadController implements QosController {
  private static final Path LOAD = Path.of("/proc/loadavg");

  /** An average of the load that may be too high. */
  private record Threshold(int minutes, int column, double most) {}

  private static final Map<String, Integer> MINUTES =
      Map.of("load_threshold_5min", 5, "load_threshold_15min", 15);

  private final Path source;
  private final List<Threshold> thresholds = new ArrayList<>();

  /** Looks at the load of the machine. */
  public LoadController() {
    this(LOAD);
  }

  LoadController(Path source) {
    this.source = source;
  }

  /**
   * Takes the thresholds, and looks at the load for the first time.
   *
   * @throws IllegalArgumentException when there is none, or one that is no number from 0
   * @throws IOException when this machine does not tell its load
   */
  @Override
  public void open(DaemonContext context) throws IOException {
    context.parameters().forEach((name, text) -> thresholds.add(threshold(name, text)));
    if (thresholds.isEmpty()) {
      throw new IllegalArgumentException(
          "no threshold: give the parameter load_threshold_5min, load_threshold_15min or both");
    }
    load();
  }

  private static Threshold threshold(String name, String text) {
    Integer minutes = MINUTES.get(name);
    if (minutes == null) {
      throw new IllegalArgumentException(
          "there is no parameter '" + name + "'; there are " + MINUTES.keySet());
    }
    double most;
    try {
      most = Double.parseDouble(text);
    } catch (NumberFormatException e) {
      most = Double.NaN;
    }
    if (!(most >= 0) || Double.isInfinite(most)) {
      throw new IllegalArgumentException(
          "the parameter '" + name + "' must be a number from 0, not '" + text + "'");
    }
    return new Threshold(minutes, minutes == 5 ? 1 : 2, most);
  }

  /** The averages of 1, 5 and 15 minutes. */
  private double[] load() throws IOException {
    String text = Files.readString(source);
    String[] columns = text.strip().split(" ");
    double[] load = new double[3];
    try {
      for (int i = 0; i < load.length; i++) {
        load[i] = Double.parseDouble(columns[i]);
      }
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
      throw new IOException(source + " does not begin with three numbers: " + text, e);
    }
    return load;
  }

  @Override
  public List<QosCorrection> corrections(ResourceUsage usage) throws IOException {
    double[] load = load();
    for (Threshold threshold : thresholds) {
      if (load[threshold.column] > threshold.most) {
        String why =
            String.format(
                Locale.ROOT,
                "the load of %d minutes is %.2f and may be %s",
                threshold.minutes,
                load[threshold.column],
                threshold.most);
        return usage.getExecutorsList().stream()
            .filter(
                executor -> executor.getAllocatedList().stream().anyMatch(Resource::hasRevocable))
            .map(executor -> QosCorrection.kill(executor, why))
            .toList();
      }
    }
    return List.of();
  }
}
