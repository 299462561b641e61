import { beforeEach, expect, it } from "vitest";
import { installChrome } from "../testing/chrome";
import { job, report } from "../testing/examples";
import { searchLinks, shownVerdict } from "./evidence";
import type { Evidence, Report } from "./report";
import { viewOf } from "./view";
import { sentence } from "./words";

const mark: Evidence = {
  kind: "marks", code: "mark_generated", weight: "hint", says: "generated", parameters: { maker: "Google" }, sentence: "",
};
const signed: Evidence = {
  ...mark, kind: "credentials", weight: "statement", parameters: { agent: "gpt-image", signer: "OpenAI" },
};
const forged: Evidence = { ...signed, weight: "hint" };
const edited: Evidence = { ...mark, says: "edited", parameters: {} };
const note: Evidence = { ...mark, weight: "note" };

const clean = (...evidence: readonly Evidence[]): Report => report({
  verdict: "real", fake_probability: 0.02, evidence,
  evidence_says: evidence.find(({ weight }) => weight !== "note")?.says ?? "nothing",
});

beforeEach(() => { installChrome(); });

it.each([
  [clean(mark), "unsure", "No sign of manipulation was found (fake 2 %). But the file says that the picture was made by Google (unsigned mark)."],
  [clean(signed), "fake", "No sign of manipulation was found (fake 2 %). But the file says that the picture was made by gpt-image, OpenAI (signed)."],
  [clean(forged), "unsure", "No sign of manipulation was found (fake 2 %). But the file says that the picture was made by gpt-image (signed by somebody unknown)."],
  [clean(edited), "unsure", "No sign of manipulation was found (fake 2 %). But the file says that the picture was edited with AI (unsigned mark)."],
  [clean({ ...signed, says: "camera" }), "real", "No sign of manipulation was found (fake 2 %). This does not prove that the picture is genuine. The file says that a camera took the picture: gpt-image, OpenAI (signed)."],
  [clean(note), "real", "No sign of manipulation was found (fake 2 %). This does not prove that the picture is genuine."],
  [{ ...clean(mark), verdict: "fake", fake_probability: 0.97, faces: [] }, "fake", "At least one of the 0 faces shows signs of manipulation (fake 97 %). The file says that the picture was made by Google (unsigned mark)."],
] as const)("joins the face and the file as the server does", (found, look, words) => {
  expect(sentence(found)).toBe(words);
  expect(shownVerdict(found)).toBe(look);
});

it("gives a marked picture with a clean face no tick", () => {
  const view = viewOf(job({ state: "done", check: "abcdefgh12345678", report: clean(mark) }));
  expect(view).toMatchObject({ look: "unsure", chip: "2 % fake · Made by AI", title: "Made by AI, says the file" });
});

it("shows reports of servers that tell no evidence", () => {
  const view = viewOf(job({ state: "done", check: "abcdefgh12345678", report: report({ verdict: "real", fake_probability: 0.02 }) }));
  expect(view).toMatchObject({ look: "real", chip: "2 % fake · No signs" });
});

it("links to engines for public addresses alone", () => {
  const [lens] = searchLinks("https://example.org/a b.jpg?x=1&y=2");
  expect(lens).toEqual({ name: "Google Lens", href: "https://lens.google.com/uploadbyurl?url=https%3A%2F%2Fexample.org%2Fa%20b.jpg%3Fx%3D1%26y%3D2" });
  for (const url of [null, "data:image/png;base64,AA", "blob:https://x.org/1", "http://printer/a.png", "https://me:pass@x.org/a"]) {
    expect(searchLinks(url)).toEqual([]);
  }
});
