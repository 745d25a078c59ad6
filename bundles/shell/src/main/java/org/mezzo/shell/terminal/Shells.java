package org.mezzo.shell.terminal;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.apache.felix.service.command.CommandProcessor;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens the shells that the configuration asks for; without a configuration there are none. */
@Component(
    service = Shells.class,
    immediate = true,
    configurationPid = "org.mezzo.shell",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = Settings.class)
public final class Shells {
  private static final Logger LOG = LoggerFactory.getLogger(Shells.class);

  private final Optional<SshShell> ssh;

  @Reference(
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  private volatile List<Completions> known = List.of();

  /** Those of bundles that know nothing of this one. */
  @Reference(
      service = Function.class,
      target = "(mezzo.command.completion=*)",
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  private volatile List<Function<List<String>, Collection<String>>> others = List.of();

  private volatile Terminal terminal;
  private Thread console;

  @Activate
  public Shells(BundleContext bundle, @Reference CommandProcessor processor, Settings settings)
      throws IOException {
    Sessions sessions =
        new Sessions(processor, CommandAccess.of(bundle), settings.bundleCommands());
    ssh =
        settings.sshPort() < 0
            ? Optional.empty()
            : Optional.of(
                SshShell.open(
                    sessions,
                    this::completions,
                    settings.sshPort(),
                    settings.authorizedKeys(),
                    defaultRole(settings),
                    settings.hostKey()));
    if (settings.console()) {
      console = new Thread(() -> console(sessions), "mezzo-console");
      console.setDaemon(true);
      // JLine finds what talks to the terminal through the context class loader.
      console.setContextClassLoader(Terminal.class.getClassLoader());
      console.start();
    }
  }

  private static Access defaultRole(Settings settings) {
    return Access.of(settings.defaultRole())
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "The default role of keys is view, operate or administer, not '"
                        + settings.defaultRole()
                        + "'"));
  }

  private Collection<String> completions(List<String> words, String begun) {
    List<String> all = new ArrayList<>();
    known.forEach(it -> all.addAll(it.after(words, begun)));
    others.forEach(it -> all.addAll(it.apply(words)));
    return all;
  }

  /** The port of SSH; empty when it is off. */
  public Optional<Integer> sshPort() {
    return ssh.map(SshShell::port);
  }

  private void console(Sessions sessions) {
    try (Terminal system = TerminalBuilder.builder().system(true).dumb(false).build()) {
      terminal = system;
      Repl.run(sessions, system, this::completions, Caller.console());
      LOG.info("The console is closed; the process goes on");
    } catch (IOException | IllegalStateException e) {
      LOG.warn(
          "There is no terminal for the shell ({}); start this in a terminal, or use SSH",
          e.getMessage());
    } finally {
      terminal = null;
    }
  }

  @Deactivate
  void deactivate() throws InterruptedException {
    ssh.ifPresent(SshShell::close);
    Terminal open = terminal;
    if (open != null) {
      try {
        open.close();
      } catch (IOException e) {
        LOG.debug("The terminal does not close", e);
      }
    }
    if (console != null) {
      console.interrupt();
      console.join(1_000);
    }
  }
}
