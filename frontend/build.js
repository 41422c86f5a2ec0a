// Bundles the query editor into onemg_kg/assets/vendor/, or into the folder named as the only argument.
// Same packages, same bytes: nothing of this machine goes in, neither paths nor time nor source maps.

import { build } from "esbuild";
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.resolve(process.argv[2] ?? path.join(here, "../onemg_kg/assets/vendor"));
const common = {
  absWorkingDir: here,
  outdir: out,
  bundle: true,
  minify: true,
  charset: "utf8",
  target: "es2022",
  legalComments: "none", // every package's licence stands in THIRD-PARTY.txt
  logLevel: "warning",
};

/** The licences of all packages of the lock file but those that only build: more than what is bundled, and never less. */
async function licences() {
  const { packages } = JSON.parse(await readFile(path.join(here, "package-lock.json"), "utf8"));
  const mit = await readFile(path.join(here, "MIT.txt"), "utf8");
  const parts = ["The query editor of this folder is made of these packages.\n"];
  for (const [place, { dev }] of Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!place || dev) continue;
    const folder = path.join(here, place);
    const { name, version, license, author, homepage } = JSON.parse(await readFile(path.join(folder, "package.json"), "utf8"));
    const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file)).sort();
    const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), "utf8")));
    if (!texts.length) {
      const by = [author?.name ?? author, homepage].filter(Boolean).join(", ");
      texts.push(`The package names its licence and brings no text of it. ${by}`.trim());
      if (license.includes("MIT")) texts.push(mit);
    }
    parts.push(`${name} ${version} (${license})\n`, ...texts.map((text) => text.replace(/\r\n/g, "\n").trim() + "\n"));
  }
  return parts.join("\n" + "-".repeat(80) + "\n");
}

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await Promise.all([
  // A classic script, because browsers run no module of a page that was opened from disk, and somebody has to say so.
  build({ ...common, entryPoints: ["src/query.js"], bundle: false }),
  build({ ...common, entryPoints: ["src/editor.js", "src/worker.js"], format: "esm" }),
  build({ ...common, entryPoints: ["src/query.css"] }),
  copyFile(path.join(here, "node_modules/oxigraph/web_bg.wasm"), path.join(out, "oxigraph_bg.wasm")),
  licences().then((text) => writeFile(path.join(out, "THIRD-PARTY.txt"), text)),
]);
