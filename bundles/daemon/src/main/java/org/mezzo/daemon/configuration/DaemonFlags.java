package org.mezzo.daemon.configuration;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.daemon.border.BorderFlags;
import org.mezzo.flags.FlagException;
import org.mezzo.flags.Flags;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.v1.DomainInfo;

/**
 * The flags that every daemon has, each read and checked once. Immutable.
 *
 * @param all all flags of the daemon as texts, for those who show them or hand them to modules
 * @param folders {@code --work_dir} and what else the daemon keeps its files in
 * @param listen {@code --ip}, {@code --port} and how others are told of them
 * @param border who is asked about requests, and what is not served
 * @param modules {@code --modules}
 * @param hooks {@code --hooks}, in the order in which they are called
 * @param anonymous {@code --anonymous_modules}
 * @param domain {@code --domain}
 * @param maxModuleBytes {@code --max_module_size}
 */
public record DaemonFlags(
    Flags all,
    Folders folders,
    ListenFlags listen,
    BorderFlags border,
    ModuleParameters modules,
    List<String> hooks,
    List<String> anonymous,
    Optional<DomainInfo> domain,
    long maxModuleBytes) {

  /**
   * Where a daemon keeps its files; absolute.
   *
   * @param work locked against a second daemon of its role
   * @param apart what need not outlive the machine's run, where that has a folder and a lock of its
   *     own; else it lies below {@code work}
   * @param log {@code --log_dir} as it was given
   */
  public record Folders(Path work, Optional<Path> apart, Optional<String> log) {
    public Folders {
      work = work.toAbsolutePath();
      apart = apart.map(Path::toAbsolutePath);
    }

    /** Without logs. */
    public Folders(Path work, Optional<Path> apart) {
      this(work, apart, Optional.empty());
    }

    /** Where to keep what need not outlive the machine's run. */
    public Path runtime() {
      return apart.orElseGet(() -> work.resolve("run"));
    }
  }

  public DaemonFlags {
    hooks = List.copyOf(hooks);
    anonymous = List.copyOf(anonymous);
  }

  /**
   * Reads the flags of a daemon.
   *
   * @param folders whose defaults differ between daemons; that of logs is read here
   * @throws FlagException for the first that cannot be read; names it and says what is wrong
   */
  public static DaemonFlags of(Role role, Flags flags, Folders folders) throws FlagException {
    return new DaemonFlags(
        flags,
        new Folders(folders.work(), folders.apart(), flags.text("log_dir")),
        ListenFlags.of(flags),
        BorderFlags.of(role, flags),
        FlagTexts.read(flags, "modules", ModuleParameters::of).orElse(ModuleParameters.NONE),
        FlagTexts.list(flags, "hooks"),
        FlagTexts.list(flags, "anonymous_modules"),
        FlagTexts.read(flags, "domain", DaemonFlags::domain),
        flags.bytes("max_module_size"));
  }

  private static DomainInfo domain(String text) throws Exception {
    return Json.decode(text.getBytes(StandardCharsets.UTF_8), DomainInfo.getDefaultInstance());
  }
}
