import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchService;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import scala.Tuple2;

/**
 * Jobs for Spark: {@code pi PARTS}, or {@code shuffle PARTS FREE GATE}, of whose parts all but the
 * first few wait until that file is there.
 */
public final class Jobs {
  private static final int DARTS = 100_000;
  private static final int WORDS = 1_000;

  private Jobs() {}

  public static void main(String[] args) {
    int parts = Integer.parseInt(args[1]);
    List<Integer> numbers = new ArrayList<>();
    for (int i = 0; i < parts; i++) {
      numbers.add(i);
    }
    JavaSparkContext spark = new JavaSparkContext(new SparkConf().setAppName(args[0]));
    if (args[0].equals("pi")) {
      long inside =
          spark
              .parallelize(numbers, parts)
              .map(Jobs::inside)
              .reduce((one, other) -> one + other);
      System.out.println("Pi is roughly " + 4.0 * inside / ((double) DARTS * parts));
    } else {
      int free = Integer.parseInt(args[2]);
      String gate = args[3];
      TreeMap<Integer, Long> counted =
          new TreeMap<>(
              spark
                  .parallelize(numbers, parts)
                  .flatMapToPair(
                      part -> {
                        if (part >= free) {
                          await(Paths.get(gate));
                        }
                        List<Tuple2<Integer, Long>> words = new ArrayList<>();
                        for (int i = 0; i < WORDS; i++) {
                          words.add(new Tuple2<>(i % 4, 1L));
                        }
                        return words.iterator();
                      })
                  .reduceByKey((one, other) -> one + other, 3)
                  .collectAsMap());
      System.out.println("Counted " + counted);
    }
    spark.stop();
  }

  private static void await(Path file) throws IOException, InterruptedException {
    try (WatchService folder = file.getFileSystem().newWatchService()) {
      file.getParent().register(folder, StandardWatchEventKinds.ENTRY_CREATE);
      while (!Files.exists(file)) {
        folder.take().reset();
      }
    }
  }

  private static long inside(int seed) {
    Random random = new Random(seed);
    long inside = 0;
    for (int i = 0; i < DARTS; i++) {
      double x = random.nextDouble();
      double y = random.nextDouble();
      if (x * x + y * y < 1) {
        inside++;
      }
    }
    return inside;
  }
}
