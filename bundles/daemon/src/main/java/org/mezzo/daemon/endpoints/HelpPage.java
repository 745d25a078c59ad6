package org.mezzo.daemon.endpoints;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.daemon.border.CallHelp;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.http.HttpResponse;

/** The help as a page. Every text that is not markup is escaped on its way in. */
final class HelpPage {
  private final StringBuilder html = new StringBuilder();
  private final Role role;

  private HelpPage(Role role) {
    this.role = role;
  }

  /**
   * A page.
   *
   * @param wanted what was asked for, for the title; empty for everything
   */
  static HttpResponse of(String wanted, Map<String, List<HelpEndpoint.Entry>> shown, Role role) {
    String title = "Help" + (wanted.isEmpty() ? "" : " on /" + wanted);
    HelpPage page = new HelpPage(role);
    page.markup("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">")
        .element("title", title)
        .markup(
            "<style>body{font-family:sans-serif;margin:2em;max-width:60em}dt,code{font-family:"
                + "monospace}td,th{text-align:left;vertical-align:top;padding:.2em 1em .2em 0}"
                + "</style></head><body>")
        .element("h1", title);
    boolean one = shown.values().stream().mapToInt(List::size).sum() == 1;
    shown.forEach(
        (id, entries) -> {
          page.markup("<h2>").link("/help/" + id, "/" + id).markup("</h2>");
          entries.forEach(one ? page::whole : page::line);
        });
    page.markup("</body></html>\n");
    return new HttpResponse(
        200,
        Map.of("Content-Type", "text/html; charset=utf-8"),
        page.html.toString().getBytes(StandardCharsets.UTF_8));
  }

  private void line(HelpEndpoint.Entry entry) {
    markup("<p>")
        .link("/help" + entry.path(), entry.path())
        .markup("<br>")
        .text(entry.endpoint().declaration().help().summary())
        .markup("</p>");
  }

  private void whole(HelpEndpoint.Entry entry) {
    EndpointDeclaration declaration = entry.endpoint().declaration();
    Help help = declaration.help();
    element("h3", entry.path());
    element("p", help.summary());
    element("p", help.description());
    if (!declaration.methods().isEmpty()) {
      element(
          "p", "Methods: " + String.join(", ", declaration.methods().stream().sorted().toList()));
    }
    if (!help.parameters().isEmpty()) {
      element("h4", "Parameters of the query").markup("<dl>");
      help.parameters()
          .forEach(parameter -> element("dt", parameter.name()).element("dd", parameter.meaning()));
      markup("</dl>");
    }
    element("h4", "Authentication");
    element(
        "p",
        declaration
            .access()
            .realm(role)
            .map(realm -> "In realm " + realm + ", where the daemon's flags demand it.")
            .orElse("None."));
    element("h4", "Authorization");
    element("p", declaration.permission().toString());
    List<CallHelp> calls = entry.endpoint().calls();
    if (!calls.isEmpty()) {
      element("h4", "Calls")
          .markup("<table><tr><th>type<th>carries<th>what it does<th>authorization</tr>");
      for (CallHelp call : calls) {
        markup("<tr>")
            .element("td", call.type())
            .element("td", call.message().orElse(""))
            .element("td", call.summary())
            .element("td", call.permission().toString())
            .markup("</tr>");
      }
      markup("</table>");
    }
  }

  private HelpPage markup(String markup) {
    html.append(markup);
    return this;
  }

  private HelpPage element(String name, String text) {
    return markup("<" + name + ">").text(text).markup("</" + name + ">");
  }

  private HelpPage link(String target, String text) {
    return markup("<a href=\"").text(target).markup("\">").text(text).markup("</a>");
  }

  private HelpPage text(String text) {
    for (int i = 0; i < text.length(); i++) {
      char one = text.charAt(i);
      switch (one) {
        case '&' -> html.append("&amp;");
        case '<' -> html.append("&lt;");
        case '>' -> html.append("&gt;");
        case '"' -> html.append("&quot;");
        case '\'' -> html.append("&#39;");
        default -> html.append(one);
      }
    }
    return this;
  }
}
