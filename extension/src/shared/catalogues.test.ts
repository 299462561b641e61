import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { OWN_CODES } from "./trouble";
import { LANGUAGES } from "./settings";

type Catalogue = Record<string, { message: string }>;

function read(name: string): Catalogue {
  return JSON.parse(readFileSync(`_locales/${name}/messages.json`, "utf8")) as Catalogue;
}

function sources(folder = "src"): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return sources(path);
    return /(?<!\.test)\.ts$/.test(path) ? [readFileSync(path, "utf8")] : [];
  });
}

const english = read("en");

it("has a catalogue for each language that can be chosen", () => {
  expect(readdirSync("_locales").sort()).toEqual([...LANGUAGES].sort());
});

describe.each(LANGUAGES)("%s", (name) => {
  const catalogue = read(name);
  it("has every text, with the same places", () => {
    expect(Object.keys(catalogue)).toEqual(Object.keys(english));
    for (const [key, { message }] of Object.entries(catalogue)) {
      const places = (text = ""): string[] => [...text.matchAll(/\$\d/g)].map(String).sort();
      expect(message.trim(), key).not.toBe("");
      expect(places(message), key).toEqual(places(english[key]?.message));
    }
  });
  it("fits the stores", () => {
    expect(catalogue["name"]?.message.length).toBeLessThanOrEqual(45);
    expect(catalogue["description"]?.message.length).toBeLessThanOrEqual(132);
  });
});

it("has every text that the code and the pages ask for", () => {
  const pages = readdirSync("pages").map((page) => readFileSync(`pages/${page}`, "utf8"));
  const keys = [
    ...sources().join().matchAll(/\bt\(\s*(?:[^"`()]*\? )?"([a-z_]+)"/g),
    ...pages.join().matchAll(/data-(?:text|label)="([a-z_]+)"/g),
  ].map(([, key]) => key ?? "");
  expect(keys.length).toBeGreaterThan(60);
  expect(keys.filter((key) => english[key] === undefined)).toEqual([]);
});

it("has words for each code of our own", () => {
  const alike: Record<string, string> = { bad_answer: "not_unmask" };
  for (const code of OWN_CODES) expect(english[`error_${alike[code] ?? code}`], code).toBeDefined();
});
