// The chart of an answer, where the header of the query says so: `#+ chart: bar ?VALUE by ?LABEL`, with one label or more.
// onemg_kg/site/charts.py draws the same on the page of a question, from the same header.

const HEADER = /^#\+ chart:\s*(.*?)\s*$/;
const BAR = /^bar \?(\w+) by((?: \?\w+)+)$/;
const NUMBER = /^\+?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const MOST = 100; // bars: who wants more reads the table
const SVG = "http://www.w3.org/2000/svg";

/** What the header of a query asks for, or undefined: only the lines before any other count. */
function asked(query) {
  for (const line of query.split("\n")) {
    if (!line.startsWith("#+")) return undefined;
    const found = HEADER.exec(line.trim());
    if (found) return found[1];
  }
}

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function drawn(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/**
 * Draw the chart of an answer.
 * @param query the query, with its header
 * @param columns the names of the answer's columns; undefined if it is no table
 * @param rows the answer's rows, as SPARQL 1.1 Query Results JSON has them
 * @param link makes the node that shows an IRI
 * @returns {{figure?: Element, said?: string}} the chart, and what there is to say of it; nothing where none is asked for
 */
export function chart(query, columns, rows, link) {
  const header = asked(query);
  if (header === undefined) return {};
  const found = BAR.exec(header);
  if (!found || !columns) return { said: "No chart: its header is to be “#+ chart: bar ?VALUE by ?LABEL”, over a SELECT query." };
  const value = found[1];
  const labels = found[2].trim().split(" ").map((name) => name.slice(1));
  const missing = [value, ...labels].find((name) => !columns.includes(name));
  if (missing) return { said: `No chart: the answer has no column ?${missing}.` };
  const shown = rows.slice(0, MOST);
  if (!shown.every((row) => row[value]?.type !== "uri" && NUMBER.test(row[value]?.value ?? "")))
    return { said: `No chart: ?${value} is not a number from 0 up in each row.` };
  const numbers = shown.map((row) => row[value].value);
  const most = numbers.reduce((one, other) => (Number(other) > Number(one) ? other : one), "0");
  const bars = shown.map((row) => {
    const of = element("span", { class: "bar-of" });
    for (const name of labels.filter((name) => row[name])) {
      if (of.hasChildNodes()) of.append(", ");
      of.append(row[name].type === "uri" ? link(row[name].value) : row[name].value);
    }
    const number = row[value].value;
    const bar = drawn("rect", { width: number, height: 1 });
    const box = { viewBox: `0 0 ${Number(most) > 0 ? most : 1} 1`, width: "100%", height: 12, preserveAspectRatio: "none", "aria-hidden": true };
    return element("li", {}, of, drawn("svg", box, bar), element("span", { class: "bar-value" }, number));
  });
  const caption = element("figcaption", {}, `${value} by ${labels.join(" and ")}`);
  const said = rows.length > MOST ? `The chart shows the first ${MOST} rows.` : undefined;
  return { figure: element("figure", { class: "chart" }, caption, element("ul", { class: "bars" }, ...bars)), said };
}
