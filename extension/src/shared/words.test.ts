import { beforeEach, expect, it } from "vitest";
import { installChrome } from "../testing/chrome";
import { face, report } from "../testing/examples";
import { failureWords, sentence } from "./words";

const unsure = (reason: string) => face({ verdict: "unsure", fake_probability: 0.4, reasons: [reason] });

beforeEach(() => { installChrome(); });

it.each([
  [report({ faces: [face(), face()] }), "At least one of the 2 faces shows signs of manipulation (fake 97 %)."],
  [report({ verdict: "unsure", fake_probability: 0.6 }), "Unsure: there are signs of manipulation, but too few to call it fake (fake 60 %)."],
  [report({ verdict: "unsure", fake_probability: 0.4 }), "Unsure: the signs in this picture are too weak to say (fake 40 %)."],
  [report({ verdict: "unsure", fake_probability: 0.4, faces: [unsure("too_small")] }), "Unsure: the face is too small to be judged (fake 40 %)."],
  [report({ verdict: "unsure", fake_probability: 0.4, faces: [face(), unsure("too_small")] }), "Unsure: the most suspicious of the 2 faces is too small to be judged (fake 40 %)."],
  [report({ verdict: "unsure", fake_probability: 0.4, faces: [unsure("profile")] }), "Unsure: the face is seen from the side, and cannot be judged so (fake 40 %)."],
  [report({ verdict: "unsure", fake_probability: 0.4, faces: [unsure("occluded")] }), "Unsure: a part of the face is covered, and what is seen shows no sign of manipulation (fake 40 %)."],
  [report({ verdict: "unsure", fake_probability: 0.4, faces: [unsure("judges_disagree")] }), "Unsure: one of the networks that judge sees signs of manipulation, another does not (fake 40 %)."],
  [report({ verdict: "real", fake_probability: 0 }), "No sign of manipulation was found (fake 1 %). This does not prove that the picture is genuine."],
  [report({ verdict: "no_face", fake_probability: null, faces: [] }), "No face was found in this picture, so nothing was judged."],
])("says the server's sentence", (found, words) => {
  expect(sentence(found)).toBe(words);
});

it("knows codes that mean the same", () => {
  expect(failureWords({ code: "truncated", message: "" })).toBe(failureWords({ code: "damaged", message: "" }));
  expect(failureWords({ code: "odd", message: "" })).toBe("Something unforeseen went wrong.");
});
