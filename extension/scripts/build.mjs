/** Builds the extension twice: build/release, which ships, and build/test, for tests in browsers.
 *
 * The one for tests differs in three things: its shadow roots are open, it may read every site,
 * since a test cannot click in the browser's own windows to allow one, and it is not minified.
 */

import { cp, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const ROOT = new URL("..", import.meta.url);
const at = (path) => new URL(path, ROOT).pathname;

/** Bytes: what is put into web pages, and our own pages' scripts. */
const LIMITS = { "page.js": 40_000, "right-click.js": 1_000, "background.js": 100_000, "popup.js": 100_000, "options.js": 100_000, "allow.js": 100_000 };
const TARGET = ["chrome123", "firefox140"];
const ENTRIES = {
  background: "src/background/main.ts",
  page: "src/page/main.ts",
  "right-click": "src/right-click.ts",
  popup: "src/popup/main.ts",
  options: "src/options/main.ts",
  allow: "src/allow/main.ts",
  pages: "src/shared/pages.css",
};

/** Style sheets that scripts import become text, with what they import themselves. */
const styleText = {
  name: "style-text",
  setup(building) {
    building.onLoad({ filter: /page\.css$/ }, async ({ path }) => {
      const { outputFiles } = await build({ entryPoints: [path], bundle: true, minify: true, write: false, target: TARGET });
      return { contents: outputFiles[0].text.trim(), loader: "text" };
    });
  },
};

async function target(name) {
  const testing = name === "test";
  const out = at(`build/${name}`);
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  await build({
    entryPoints: Object.fromEntries(Object.entries(ENTRIES).map(([key, path]) => [key, at(path)])),
    outdir: out,
    bundle: true,
    format: "iife",
    target: TARGET,
    minify: !testing,
    sourcemap: testing ? "inline" : false,
    define: { OPEN_SHADOW: String(testing) },
    plugins: [styleText],
    logLevel: "warning",
  });
  await cp(at("pages"), out, { recursive: true });
  await cp(at("_locales"), `${out}/_locales`, { recursive: true });
  await cp(at("icons"), `${out}/icons`, { recursive: true, filter: (path) => !path.endsWith(".svg") || path.endsWith("mark.svg") });
  const manifest = JSON.parse(await readFile(at("manifest.json"), "utf8"));
  manifest.version = JSON.parse(await readFile(at("package.json"), "utf8")).version;
  if (testing) manifest.host_permissions = ["<all_urls>"];
  await writeFile(`${out}/manifest.json`, `${JSON.stringify(manifest, null, 2)}\n`);
  return out;
}

async function measured(out) {
  let tooLarge = false;
  for (const [file, limit] of Object.entries(LIMITS)) {
    const { size } = await stat(`${out}/${file}`);
    const packed = gzipSync(await readFile(`${out}/${file}`)).length;
    console.log(`${file.padEnd(14)} ${String(size).padStart(7)} bytes, ${String(packed).padStart(6)} packed, limit ${limit}`);
    tooLarge ||= size > limit;
  }
  return !tooLarge;
}

const release = await target("release");
await target("test");
if (!(await measured(release))) {
  console.error("A script is larger than its limit.");
  process.exit(1);
}
