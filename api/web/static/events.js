// Server-sent events by fetch: EventSource sends no header, so it could not bring the key along.

import { call } from "./api.js";

const PAUSE_MS = 1000;
const FINAL = new Set(["succeeded", "failed", "cancelled"]);

export const isFinal = (job) => FINAL.has(job.state);

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Call `changed(job)` with each change until the job has ended; asks again when the server is away. */
export async function follow(job, changed, offline = () => {}) {
  for (;;) {
    try {
      const response = await call(job.links.events, { headers: { Accept: "text/event-stream" } });
      for await (const event of eventsOf(response.body)) {
        if (!event.data) continue;
        const latest = JSON.parse(event.data);
        changed(latest);
        if (isFinal(latest)) return latest;
      }
    } catch (problem) {
      if (problem.status >= 400 && problem.status < 500 && problem.status !== 429) throw problem;
      offline(problem);
    }
    await sleep(PAUSE_MS);
  }
}

async function* eventsOf(body) {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) yield parsed(block);
  }
}

function parsed(block) {
  const data = block.split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
  return { data: data.join("\n") };
}
