// Where queries are answered: Oxigraph over the dump, in a thread of its own, so that a long query can be stopped.
// Asked with { dump, query, form }; answers with { text, loading, evaluating } in milliseconds, or with { error, line, column }.

import init, { Store } from "oxigraph";

const PLACE = /^error at (\d+):(\d+): ([\s\S]*)$/;
let loaded; // the store, read once

async function read(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`The server answers ${response.status} to ${address}.`);
  return response;
}

async function load(dump) {
  const [code, data] = await Promise.all([
    // As bytes, so that it does not matter which media type the server gives.
    read(new URL("oxigraph_bg.wasm", import.meta.url)).then((response) => response.arrayBuffer()),
    read(dump).then((response) => response.text()),
  ]);
  await init({ module_or_path: code });
  const store = new Store();
  store.load(data, { format: "application/n-quads", no_transaction: true });
  // The default graph is the union of the named graphs, as a set: see onemg_kg/store.py.
  store.update("INSERT { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p ?o } }");
  return store;
}

onmessage = async ({ data: { dump, query, form } }) => {
  let store;
  const start = performance.now();
  try {
    loaded ??= load(dump);
    store = await loaded;
  } catch (error) {
    loaded = undefined;
    postMessage({ error: `The data could not be read. ${error.message}` });
    return;
  }
  const ready = performance.now();
  try {
    const text = store.query(query, { results_format: form });
    const evaluating = performance.now() - ready;
    const legible = form.endsWith("json") ? JSON.stringify(JSON.parse(text), null, 2) : text;
    postMessage({ text: legible, loading: ready - start, evaluating });
  } catch (error) {
    const [, line, column, what] = PLACE.exec(error.message) ?? [];
    postMessage({ error: what ?? error.message, line: Number(line), column: Number(column) });
  }
};
