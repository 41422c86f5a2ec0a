// The editor, the buttons below it, and the viewer of results.

import Yasgui from "@zazuko/yasgui";

import { chart } from "./chart.js";

const { Yasqe, Yasr } = Yasgui;
const SITE = new URL("../../", import.meta.url); // this file is assets/vendor/editor.js of the site
const JSON_RESULTS = "application/sparql-results+json";
const TURTLE = "text/turtle";

// Neither prefixes nor terms are asked of other hosts.
delete Yasqe.Autocompleters.property;
delete Yasqe.Autocompleters.class;
Yasqe.defaults.autocompleters = ["variables"];
Yasqe.defaults.requestConfig.endpoint = "";

/** The query that the address holds (`#query=`), or null. */
function shared() {
  return new URLSearchParams(location.hash.slice(1)).get("query");
}

/** The page of this site about an IRI of ours, given its part below the base: see onemg_kg/addresses.py. */
function pageOf(local) {
  const [path, fragment] = local.split("#");
  const file = (path === "" || path.endsWith("/") ? `${path}index` : path).replace(
    /[%?\\:*"<>|]/g,
    (character) => `%25${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return new URL(`${file}.html${fragment ? `#${fragment}` : ""}`, SITE).href;
}

/** A table whose links to things of ours lead to their pages on this site, and of which every part has a name. */
function tableOf(base) {
  return class extends Yasr.plugins.table {
    helpReference = undefined;

    getColumns() {
      const [number, ...columns] = super.getColumns();
      return [{ ...number, title: "#" }, ...columns];
    }

    drawControls() {
      super.drawControls();
      this.tableSizeField.setAttribute("aria-label", "Page size");
    }

    getUriLinkFromBinding(binding, prefixes) {
      const html = super.getUriLinkFromBinding(binding, prefixes);
      if (!binding.value.startsWith(base)) return html;
      const holder = document.createElement("template");
      holder.innerHTML = html;
      holder.content.querySelector("a").href = pageOf(binding.value.slice(base.length));
      return holder.innerHTML;
    }
  };
}

/** The response as text, in a box that has a name. */
class NamedResponse extends Yasr.plugins.response {
  helpReference = undefined;

  draw(config) {
    super.draw(config);
    this.cm.getInputField().setAttribute("aria-label", "Response");
  }
}

/** Ask a SPARQL endpoint (SPARQL 1.1 Protocol, section 2.1.2). */
async function ask(endpoint, query, form, signal) {
  const start = performance.now();
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { Accept: form, "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ query }),
    signal,
  });
  const text = await response.text();
  if (!response.ok) return { error: text || `The server answers ${response.status}.` };
  return { text, loading: 0, evaluating: performance.now() - start };
}

/** Draw the editor into the part of the page that waits for it, and put the cursor there. */
export async function mount(root) {
  const { dump, context, base, endpoint } = root.dataset;
  const find = (selector) => root.querySelector(selector);
  const [run, stop, examples, status] = [".query-run", ".query-stop", ".query-examples", ".query-status"].map(find);
  const [picture, result] = [".query-chart", ".query-result"].map(find);
  const answer = await fetch(context);
  if (!answer.ok) throw new Error(`the server answers ${answer.status} to ${context}`);
  const prefixes = await answer.json();

  Yasqe.forkAutocompleter("prefixes", {
    name: "prefixes-of-this-site",
    persistenceId: null,
    get: Object.entries(prefixes).map(([prefix, namespace]) => `${prefix}: <${namespace}>`),
  });
  Yasr.registerPlugin("table", tableOf(base));
  Yasr.registerPlugin("response", NamedResponse);

  const shown = document.querySelector("pre.sparql"); // the query as one reads it without the editor
  const published = shown?.textContent.trim() ?? "";
  if (shown) shown.hidden = true;
  find(".query-panel").hidden = false;
  const editor = new Yasqe(find(".query-text"), {
    value: shared() ?? published,
    persistenceId: null,
    createShareableLink: null,
    consumeShareLink: null,
    showQueryButton: false,
    queryingDisabled: "The buttons below the editor run the query.",
    resizeable: false,
    editorHeight: "",
    screenReaderLabel: "SPARQL query",
    extraKeys: {
      "Ctrl-Enter": () => start(),
      "Cmd-Enter": () => start(),
      "Ctrl-S": false,
    },
  });
  editor.getInputField().setAttribute("aria-describedby", find(".query-keys").id);
  const viewer = new Yasr(result, {
    persistenceId: null,
    prefixes,
    pluginOrder: ["table", "response"],
    plugins: { table: { dynamicConfig: { compact: true } } },
  });
  viewer.documentationLink.remove(); // leads to another host

  let worker;
  let request;

  function say(text, failed = false) {
    status.textContent = text;
    status.classList.toggle("query-error", failed);
  }

  /** While a query runs one can stop it and not start another; the focus stays on a button that can be used. */
  function running(now) {
    const focused = document.activeElement;
    run.disabled = now;
    stop.disabled = !now;
    if (focused === run && now) stop.focus();
    if (focused === stop && !now) run.focus();
  }

  function halt() {
    worker?.terminate();
    request?.abort();
    worker = request = undefined;
    running(false);
  }

  /** An IRI by its short name, as a link to its page if it is ours. */
  function link(iri) {
    const made = document.createElement("a");
    made.href = iri.startsWith(base) ? pageOf(iri.slice(base.length)) : iri;
    const prefix = Object.keys(prefixes).find((name) => iri.startsWith(prefixes[name]) && !/[/#?]|^$/.test(iri.slice(prefixes[name].length)));
    made.textContent = prefix ? `${prefix}:${iri.slice(prefixes[prefix].length)}` : iri;
    return made;
  }

  function show({ error, line, column, text, loading, evaluating }, form, query) {
    running(false);
    result.hidden = error !== undefined; // what is shown is always the answer to the query last run
    picture.replaceChildren();
    if (error !== undefined) {
      say(line ? `Line ${line}, column ${column}: ${error}` : error, true);
      if (line) editor.getDoc().setCursor({ line: line - 1, ch: column - 1 });
      return;
    }
    viewer.setResponse({ data: text || "\n", contentType: form, status: 200 }, Math.round(evaluating)); // an empty graph is no failure
    const rows = viewer.results.getBindings();
    const truth = viewer.results.getBoolean();
    if (!rows && truth === undefined) {
      say("The answer is not in the form that was asked for.", true);
      return;
    }
    const what = rows ? `${rows.length} ${rows.length === 1 ? "row" : "rows"}` : `Answer: ${truth ? "yes" : "no"}`;
    const reading = loading > 1 ? `, after ${Math.round(loading)} ms to read the data` : "";
    const { figure, said } = chart(query, form === JSON_RESULTS && rows ? viewer.results.getVariables() : undefined, rows, link);
    if (figure) picture.append(figure);
    say(`${what} in ${Math.round(evaluating)} ms${reading}.${said ? ` ${said}` : ""}`);
  }

  function start() {
    if (run.disabled) return;
    const query = editor.getValue();
    const graph = ["CONSTRUCT", "DESCRIBE"].includes(editor.getQueryType());
    const form = graph ? TURTLE : JSON_RESULTS;
    const fragment = query.trim() === published ? "" : `#query=${encodeURIComponent(query)}`;
    history.replaceState(null, "", location.pathname + location.search + fragment);
    running(true);
    say("Running …");
    if (endpoint) {
      request = new AbortController();
      const { signal } = request;
      ask(new URL(endpoint, document.baseURI), query, form, signal)
        .catch((error) => ({ error: `The endpoint could not be asked: ${error.message}.` }))
        .then((message) => signal.aborted || show(message, form, query));
      return;
    }
    worker ??= new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => show(data, form, query);
    worker.onerror = () => {
      halt();
      say("The query engine could not be started: this browser may be too old for it.", true);
    };
    worker.postMessage({ dump: new URL(dump, document.baseURI).href, query, form });
  }

  run.addEventListener("click", start);
  stop.addEventListener("click", () => {
    halt();
    say("Stopped.");
  });
  window.addEventListener("hashchange", () => shared() !== null && editor.setValue(shared()));
  examples?.addEventListener("change", async () => {
    const response = await fetch(examples.value);
    if (response.ok) editor.setValue(await response.text());
    else say(`The server answers ${response.status} to ${examples.value}.`, true);
  });
  editor.focus();
}
