// The explorer: searches, filters, sorts and saves the resources of the page. A classic script, so that it also runs from disk.
"use strict";
{
  const byId = (id) => document.getElementById(id);
  const { context, keys, dataset, facets, resources } = JSON.parse(byId("explorer-data").textContent);
  const STEP = 50;
  const [Q, SORT, STATED] = ["q", "sort", "stated"];
  const text = (value) => value?.["@value"] ?? value ?? "";

  // ---- Sets of resources: a bit for each ----

  const LENGTH = (resources.length + 31) >>> 5;
  const EVERY = bits(resources.keys());

  function bits(numbers) {
    const found = new Uint32Array(LENGTH);
    for (const number of numbers) found[number >>> 5] |= 1 << (number & 31);
    return found;
  }
  const has = (set, number) => (set[number >>> 5] >>> (number & 31)) & 1;
  const both = (a, b) => a.map((word, place) => word & b[place]);
  const either = (a, b) => a.map((word, place) => word | b[place]);
  function size(set) {
    let total = 0;
    for (let word of set) {
      word -= (word >>> 1) & 0x55555555;
      word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
      total += (((word + (word >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
    }
    return total;
  }

  for (const facet of facets) {
    for (const choice of facet.choices) {
      choice.stated = bits(choice.stated);
      choice.all = either(choice.stated, bits(choice.follows));
    }
  }
  const holds = (choice) => (state.stated ? choice.stated : choice.all);
  const valuesOf = (facet, number) => facet.choices.filter((choice) => has(holds(choice), number));
  const named = (name) => facets.find((facet) => facet.name === name);

  // ---- Search: every word must begin a word of a title, another title or the description; a long word may hold one slip ----

  const WEIGHTS = [["title", 100], ["alternatives", 10], ["description", 1]];
  const LETTERS = { ß: "ss", æ: "ae", œ: "oe", ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", ı: "i" };
  const tokens = (said) =>
    said
      .toLowerCase()
      .normalize("NFKD")
      .replace(/\p{M}/gu, "")
      .replace(/[ßæœøłđðþı]/g, (letter) => LETTERS[letter])
      .split(/[^\p{L}\p{N}]+/u)
      .filter(Boolean);

  let index; // from each word to the weight of each resource that has it
  function words() {
    if (index) return index;
    index = new Map();
    for (const [field, weight] of WEIGHTS) {
      for (const [number, resource] of resources.entries()) {
        for (const token of tokens([resource[field]].flat().map(text).join(" "))) {
          if (!index.has(token)) index.set(token, new Map());
          if (!index.get(token).has(number)) index.get(token).set(number, weight);
        }
      }
    }
    return index;
  }

  // Whether `typed` begins `word` but for one letter that is wrong, missing or too many, or two that are swapped.
  function nearly(typed, word) {
    let at = 0;
    while (at < typed.length && typed[at] === word[at]) at++;
    const goesOn = (typedFrom, wordFrom) => word.startsWith(typed.slice(typedFrom), wordFrom);
    return (
      goesOn(at + 1, at + 1) ||
      goesOn(at, at + 1) ||
      goesOn(at + 1, at) ||
      (typed[at] === word[at + 1] && typed[at + 1] === word[at] && goesOn(at + 2, at + 2))
    );
  }

  // The score of each resource, 0 where a word is missing; nothing if there are no words.
  function search(query) {
    let scores = null;
    for (const typed of new Set(tokens(query))) {
      const known = [...words().keys()];
      const ways = [(word) => word.startsWith(typed)];
      if (typed.length >= 5) {
        ways.push((word) => Math.abs(word.length - typed.length) < 2 && nearly(typed, word)); // a whole word comes first
        ways.push((word) => nearly(typed, word));
      }
      const hits = ways.reduce((hit, way) => (hit.length ? hit : known.filter(way)), []);
      const found = new Float64Array(resources.length);
      for (const word of hits) {
        for (const [number, weight] of words().get(word)) {
          found[number] = Math.max(found[number], word === typed ? 2 * weight : weight);
        }
      }
      scores = scores ? scores.map((score, number) => score && found[number] && score + found[number]) : found;
    }
    return scores;
  }

  // ---- State: what is asked for, and the address that says so ----

  let state;
  function readAddress() {
    const parameters = new URLSearchParams(location.search);
    const sort = parameters.get(SORT);
    const known = [...byId("sort").options].map((option) => option.value);
    state = {
      q: parameters.get(Q) ?? "",
      sort: known.includes(sort) ? sort : known[0],
      stated: parameters.get(STATED) === "yes",
      chosen: facets.map((facet) => new Set(facet.choices.filter((one) => parameters.getAll(facet.name).includes(one.slug)))),
      shown: STEP,
    };
    return facets.flatMap((facet) =>
      parameters
        .getAll(facet.name)
        .filter((slug) => !facet.choices.some((choice) => choice.slug === slug))
        .map((slug) => `${facet.title}: ${slug}`),
    );
  }

  function address() {
    const parameters = new URLSearchParams();
    if (state.q.trim()) parameters.set(Q, state.q.trim());
    facets.forEach((facet, place) => {
      for (const choice of facet.choices) if (state.chosen[place].has(choice)) parameters.append(facet.name, choice.slug);
    });
    if (state.stated) parameters.set(STATED, "yes");
    if (state.sort !== byId("sort").options[0].value) parameters.set(SORT, state.sort);
    return `${location.pathname}${parameters.size ? "?" : ""}${parameters}`;
  }

  // ---- What is found: in a facet any of its choices, across facets all ----

  function find() {
    const scores = search(state.q);
    const searched = scores ? bits([...scores.keys()].filter((number) => scores[number])) : EVERY;
    const sides = state.chosen.map((choices) => (choices.size ? [...choices].map(holds).reduce(either) : EVERY));
    const others = facets.map((_, place) => sides.filter((_, other) => other !== place).reduce(both, searched));
    const set = sides.reduce(both, searched);
    const numbers = [...resources.keys()].filter((number) => has(set, number)); // by title, as the page has them
    if (state.sort === "best" && scores) numbers.sort((a, b) => scores[b] - scores[a] || a - b);
    if (state.sort === "level") {
      const ranks = new Map(numbers.map((number) => [number, levelRank(number)]));
      numbers.sort((a, b) => ranks.get(a) - ranks.get(b) || a - b);
    }
    return { numbers, counts: facets.map((facet, place) => facet.choices.map((choice) => size(both(others[place], holds(choice))))) };
  }

  function levelRank(number) {
    const choices = named("level")?.choices ?? [];
    const rank = choices.findIndex((choice) => has(choice.all, number));
    return rank < 0 ? choices.length : rank;
  }

  // ---- The page ----

  function make(name, properties = {}, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (value === null || value === undefined) continue;
      if (key in node) node[key] = value;
      else node.setAttribute(key, value);
    }
    node.append(...children);
    return node;
  }

  const wide = matchMedia("(min-width: 60rem)");
  const boxes = new Map();
  function makeFilters() {
    const groups = facets.map((facet, place) => {
      const lines = facet.choices.map((choice) => {
        const box = make("input", { type: "checkbox", name: facet.name, value: choice.slug });
        const count = make("span", { className: "count" });
        boxes.set(choice, { box, count });
        box.addEventListener("click", (event) => {
          if (box.getAttribute("aria-disabled") === "true" && box.checked) event.preventDefault();
        });
        box.addEventListener("change", () => {
          if (box.checked) state.chosen[place].add(choice);
          else state.chosen[place].delete(choice);
          changed("push");
        });
        return make("label", { className: `choice depth-${Math.min(choice.depth, 3)}` }, box, make("span", {}, choice.label), count);
      });
      const chosen = make("span", { className: "count" });
      boxes.set(facet, chosen);
      const legend = make("legend", { className: "hidden-text" }, facet.title);
      return make(
        "details",
        { className: "facet", open: place < 4 && wide.matches },
        make("summary", {}, facet.title, " ", chosen),
        make("fieldset", {}, legend, ...lines),
      );
    });
    const stated = make("input", { type: "checkbox", id: "stated", name: STATED, value: "yes", "aria-describedby": "stated-help" });
    stated.addEventListener("change", () => {
      state.stated = stated.checked;
      changed("push");
    });
    const help = "Leaves out what follows by rules from the pages on which a resource is listed: most of role, stage and section.";
    const basis = make(
      "div",
      { className: "basis" },
      make("label", { className: "choice" }, stated, make("span", {}, "Only what is stated")),
      make("p", { id: "stated-help", className: "muted small" }, help),
    );
    byId("filters").replaceChildren(...groups, basis);
  }

  const lines = (labels) => new Map(labels.map((label) => [`${label.label}|${label.limit}`, label])).values();

  function makeResult(number) {
    const resource = resources[number];
    const language = (value) => value?.["@language"];
    const name = make("a", { className: "name", href: resource.page, lang: language(resource.title) }, text(resource.title));
    const head = make("p", { className: "entry" }, name);
    for (const label of lines(resource.labels)) {
      head.append(make("span", { className: `badge ${label.label.toLowerCase()}` }, label.label));
      if (label.limit) head.append(make("span", { className: "muted" }, `for ${label.limit.toLowerCase()} only`));
    }
    const kind = named("kind") ? named("kind").choices.filter((choice) => has(choice.all, number)) : [];
    const also = resource.alternatives.map(text).join(", ");
    const parts = [kind.map((choice) => choice.label).join(", "), also && `also: ${also}`].filter(Boolean);
    const item = make("li", {}, head, make("p", { className: "muted small" }, parts.join(" · ")));
    if (resource.description) {
      item.append(make("p", { className: "small", lang: language(resource.description) }, text(resource.description)));
    }
    return item;
  }

  function makeChips() {
    const chip = (name, remove) => {
      const button = make("button", { type: "button" }, name, make("span", { "aria-hidden": "true" }, " ×"));
      button.setAttribute("aria-label", `Remove ${name}`);
      button.addEventListener("click", () => {
        const place = [...byId("chosen").children].indexOf(button.parentNode);
        remove();
        changed("push");
        (byId("chosen").children[place]?.firstChild ?? byId("q")).focus();
      });
      return make("li", {}, button);
    };
    const chips = facets.flatMap((facet, place) =>
      facet.choices
        .filter((choice) => state.chosen[place].has(choice))
        .map((choice) => chip(`${facet.title}: ${choice.label}`, () => state.chosen[place].delete(choice))),
    );
    if (state.stated) chips.push(chip("Only what is stated", () => (state.stated = false)));
    if (state.q.trim()) chips.push(chip(`“${state.q.trim()}”`, () => (state.q = "")));
    if (chips.length) {
      const clear = make("button", { type: "button", className: "clear" }, "Clear all");
      clear.addEventListener("click", () => {
        Object.assign(state, { q: "", stated: false, chosen: facets.map(() => new Set()) });
        changed("push");
        byId("q").focus();
      });
      chips.push(make("li", {}, clear));
    }
    byId("chosen").replaceChildren(...chips);
    byId("chosen").hidden = !chips.length;
  }

  let found;
  function show() {
    found = find();
    const total = found.numbers.length;
    facets.forEach((facet, place) => {
      facet.choices.forEach((choice, nth) => {
        const { box, count } = boxes.get(choice);
        const number = found.counts[place][nth];
        box.checked = state.chosen[place].has(choice);
        if (number || box.checked) box.removeAttribute("aria-disabled");
        else box.setAttribute("aria-disabled", "true");
        count.textContent = number;
      });
      const chosen = state.chosen[place].size;
      boxes.get(facet).textContent = chosen ? `${chosen} chosen` : "";
    });
    byId("stated").checked = state.stated;
    byId("sort").value = state.sort;
    if (byId("q").value.trim() !== state.q.trim()) byId("q").value = state.q;
    const said = `${total} of ${resources.length} resources`;
    byId("status").textContent = total ? said : `${said}: remove a filter, or search for fewer words.`;
    byId("csv").disabled = byId("jsonld").disabled = !total;
    byId("results").replaceChildren(...found.numbers.slice(0, state.shown).map(makeResult));
    byId("more").hidden = total <= state.shown;
    makeChips();
  }

  function changed(how) {
    state.shown = STEP;
    if (how === "push") typing = false;
    history[how === "push" ? "pushState" : "replaceState"](null, "", address());
    byId("wrong").hidden = true;
    show();
  }

  function restore() {
    const unknown = readAddress();
    byId("wrong").hidden = !unknown.length;
    byId("wrong").textContent = `The address asks for what is no choice, so that is left out: ${unknown.join(", ")}.`;
    // A facet in which something is chosen is open, so that one sees it.
    facets.forEach((facet, place) => {
      if (state.chosen[place].size) boxes.get(facet).closest("details").open = true;
    });
    typing = false;
    show();
  }

  // ---- Saving ----

  function save(name, type, content) {
    const link = make("a", { href: URL.createObjectURL(new Blob([content], { type })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  // RFC 4180.
  function csv() {
    const cell = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
    const header = ["id", "title", "alternatives", ...facets.map((facet) => facet.name), "description", "landingPage"];
    const rows = found.numbers.map((number) => {
      const one = resources[number];
      const limited = [...lines(one.labels)].map((label) => label.label + (label.limit ? ` (${label.limit} only)` : ""));
      const values = facets.map((facet) => {
        const labels = valuesOf(facet, number).map((choice) => choice.label);
        return (facet.name === "level" && limited.length ? limited : labels).join("; ");
      });
      return [one.iri, text(one.title), one.alternatives.map(text).join("; "), ...values, text(one.description), one.link ?? ""];
    });
    return [header, ...rows].map((row) => row.map(cell).join(",") + "\r\n").join("");
  }

  // JSON-LD 1.1: what the graph says of each resource, its context in the file, so that it is read anywhere and without a network.
  function jsonld() {
    const nodes = found.numbers.map((number) => {
      const one = resources[number];
      const node = { "@id": one.iri, "@type": one.types, [keys.title]: one.title };
      if (one.alternatives.length) node[keys.alternative] = one.alternatives;
      if (one.description) node[keys.description] = one.description;
      if (one.link) node[keys.link] = one.link;
      for (const facet of facets.filter((each) => each.key)) {
        const values = valuesOf(facet, number).flatMap((choice) => choice.iri ?? []);
        if (values.length) node[facet.key] = values;
      }
      const statements = new Map(); // one for several use cases is one
      for (const label of one.labels) {
        const statement = statements.get(label.iri) ?? { "@id": label.iri, "@type": keys.statement, [keys.level]: label.level };
        if (label.useCase) statement[keys.useCase] = [...(statement[keys.useCase] ?? []), label.useCase];
        statements.set(label.iri, statement);
      }
      if (statements.size) node[keys.statements] = [...statements.values()];
      return node;
    });
    return JSON.stringify({ "@context": context, "@graph": [dataset, ...nodes] }, null, 1) + "\n";
  }

  // ---- Start ----

  let typing = false; // whether the words of this address are still being typed: they make one entry of the history
  makeFilters();
  document.documentElement.classList.add("scripted");
  const filters = document.querySelector(".filters");
  const fit = () => (filters.open = wide.matches);
  fit();
  wide.addEventListener("change", fit);
  filters.firstElementChild.addEventListener("click", (event) => wide.matches && event.preventDefault());
  byId("q").addEventListener("input", () => {
    state.q = byId("q").value;
    const how = typing ? "replace" : "push";
    changed(how);
    typing = true;
  });
  byId("search").addEventListener("submit", (event) => event.preventDefault());
  byId("sort").addEventListener("change", () => {
    state.sort = byId("sort").value;
    changed("push");
  });
  byId("more").addEventListener("click", () => {
    const first = state.shown;
    state.shown += STEP;
    byId("results").append(...found.numbers.slice(first, state.shown).map(makeResult));
    byId("more").hidden = found.numbers.length <= state.shown;
    byId("results").children[first].querySelector("a").focus();
  });
  byId("csv").addEventListener("click", () => save("onemg-resources.csv", "text/csv;charset=utf-8", csv()));
  byId("jsonld").addEventListener("click", () => save("onemg-resources.jsonld", "application/ld+json", jsonld()));
  addEventListener("popstate", restore);
  restore();
  for (const id of ["search", "tools"]) byId(id).hidden = false;
}
