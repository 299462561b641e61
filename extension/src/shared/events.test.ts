import { expect, it } from "vitest";
import { serverEvents } from "./events";

function stream(...chunks: string[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start(control) {
      for (const chunk of chunks) control.enqueue(new TextEncoder().encode(chunk));
      control.close();
    },
  });
}

async function names(...chunks: string[]): Promise<string[]> {
  const events: string[] = [];
  for await (const { name, data } of serverEvents(stream(...chunks))) events.push(`${name}:${data}`);
  return events;
}

it("reads events however they are cut", async () => {
  expect(await names("event: queued\r\nda", "ta: {}\r\n\r\nevent: done\r\ndata: 1\r\n\r", "\n")).toEqual([
    "queued:{}",
    "done:1",
  ]);
});

it("skips pings and joins lines", async () => {
  expect(await names(": ping\n\n", "data: a\ndata: b\n\n")).toEqual(["message:a\nb"]);
});

it("leaves out what was cut off", async () => {
  expect(await names("event: done\ndata: 1")).toEqual([]);
});
