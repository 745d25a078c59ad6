import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchService;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.java.ExecutionEnvironment;
import org.apache.flink.api.java.tuple.Tuple2;

/**
 * Counts words for Flink: {@code Words WORDS FOLDER}. It makes the file {@code begun} in that
 * folder, and goes on when {@code gate} is there.
 */
public final class Words {
  private Words() {}

  public static void main(String[] args) throws Exception {
    List<Integer> numbers = new ArrayList<>();
    for (int i = 0; i < Integer.parseInt(args[0]); i++) {
      numbers.add(i);
    }
    ExecutionEnvironment flink = ExecutionEnvironment.getExecutionEnvironment();
    List<Tuple2<Integer, Integer>> counted =
        flink.fromCollection(numbers).map(new Gate(args[1])).groupBy(0).sum(1).collect();
    counted.sort((one, other) -> one.f0 - other.f0);
    System.out.println("Counted " + counted);
  }

  /** Makes a word of each number, when it may. */
  private static final class Gate implements MapFunction<Integer, Tuple2<Integer, Integer>> {
    private static final long serialVersionUID = 1;
    private final String folder;

    Gate(String folder) {
      this.folder = folder;
    }

    @Override
    public Tuple2<Integer, Integer> map(Integer number) throws Exception {
      if (number == 0) {
        Path begun = Paths.get(folder, "begun");
        Files.createFile(begun);
        await(Paths.get(folder, "gate"));
      }
      return Tuple2.of(number % 4, 1);
    }

    private static void await(Path file) throws IOException, InterruptedException {
      try (WatchService watch = FileSystems.getDefault().newWatchService()) {
        file.getParent().register(watch, StandardWatchEventKinds.ENTRY_CREATE);
        while (!Files.exists(file)) {
          watch.take().reset();
        }
      }
    }
  }
}
