/** Reports and jobs for tests. */

import type { Job, Picture } from "../shared/jobs";
import type { Check, Face, Report } from "../shared/report";
import type { TeamAnswer } from "../shared/team";

export function face(changes: Partial<Face> = {}): Face {
  return {
    box: [100, 50, 200, 250],
    fake_probability: 0.97,
    verdict: "fake",
    tampered_fraction: 0.5,
    outline: [[[120, 80], [280, 80], [200, 280]]],
    ...changes,
  };
}

export function report(changes: Partial<Report> = {}): Report {
  return {
    sha256: "0".repeat(64),
    verdict: "fake",
    fake_probability: 0.97,
    image: { width: 400, height: 300 },
    faces: [face()],
    ...changes,
  };
}

/** A done check, as the server sends it. */
export function check(changes: Partial<Check> = {}): Check {
  return { id: "abcdefgh12345678", sha256: "0".repeat(64), state: "done", report: report(), ...changes };
}

export const PICTURE: Picture = {
  anchors: ["a-0"],
  url: "https://news.example/photo.jpg",
  sameOrigin: true,
  size: { width: 400, height: 300 },
  label: "photo.jpg",
};

export function job(changes: Partial<Job> = {}): Job {
  return {
    id: "job-1",
    tabFrame: { tab: 7, frame: 0 },
    picture: PICTURE,
    batch: null,
    stored: false,
    means: "original",
    trace: true,
    created: Date.now(),
    state: "waiting",
    server: "http://127.0.0.1:8080",
    sha256: null,
    check: null,
    report: null,
    failure: null,
    retryAt: null,
    tries: 0,
    round: 0,
    ...changes,
  };
}

/** What a team says of a picture that it decided on. */
export function teamAnswer(changes: Partial<TeamAnswer> = {}): TeamAnswer {
  return {
    case: 214, picture: "same", verdict: "authentic", confidence: "high",
    decided_at: "2026-05-12T09:00:00Z", earlier: null, ...changes,
  };
}

export function jsonAnswer(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(value), { status, headers });
}
