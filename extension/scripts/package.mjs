/** Packs build/release for the two stores, each with the part of the manifest that it knows, and has
 * Mozilla's linter read the one for Firefox. */

import { execFileSync } from "node:child_process";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import "./build.mjs";

const ROOT = new URL("..", import.meta.url);
const at = (path) => new URL(path, ROOT).pathname;

/** The stores give an extension its id themselves; `key` is for folders loaded by hand. */
const FOREIGN = {
  chrome: { top: ["key", "browser_specific_settings"], background: ["scripts"] },
  firefox: { top: ["key", "minimum_chrome_version"], background: ["service_worker"] },
};

function fitted(manifest, { top, background }) {
  for (const name of top) delete manifest[name];
  for (const name of background) delete manifest.background[name];
  return manifest;
}

function webExt(...options) {
  execFileSync(process.execPath, [at("node_modules/web-ext/bin/web-ext.js"), ...options], { stdio: "inherit" });
}

for (const [store, foreign] of Object.entries(FOREIGN)) {
  const folder = at(`build/store/${store}`);
  await rm(folder, { recursive: true, force: true });
  await cp(at("build/release"), folder, { recursive: true });
  const manifest = fitted(JSON.parse(await readFile(`${folder}/manifest.json`, "utf8")), foreign);
  await writeFile(`${folder}/manifest.json`, `${JSON.stringify(manifest, null, 2)}\n`);
  webExt("build", "--source-dir", folder, "--artifacts-dir", at("build"), "--overwrite-dest",
    "--filename", `unmask-${manifest.version}-${store}.zip`, "--no-config-discovery");
}
webExt("lint", "--source-dir", at("build/store/firefox"), "--boring", "--no-config-discovery");
