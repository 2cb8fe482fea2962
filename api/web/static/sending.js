// Sends documents, a few at a time, and follows their jobs: two by their event streams, the others by the list.

import { call, json, Problem } from "./api.js";
import { follow, isFinal } from "./events.js";

const AT_ONCE = 3;
const STREAMS = 2;
const LIST_MS = 2000;
const KEPT = "ocrelay-sent";
const MOST_KEPT = 500;
const LONGEST_NAME = 200;

export const remembered = () => JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");

export function forgetAll() {
  sessionStorage.removeItem(KEPT);
}

export class Sending {
  constructor(rows) {
    Object.assign(this, { rows, files: [], open: new Map(), sendingCount: 0, streamCount: 0, isListing: false });
  }

  add(files) {
    for (const file of files) this.files.push({ file, row: this.rows.add(file.name), once: once() });
    this.send();
  }

  /** Go on with what was sent before the page was loaded again. */
  resume(entries) {
    for (const { id, name } of entries) {
      const row = this.rows.add(name);
      json(`/v1/jobs/${id}`).then((job) => this.watch(job, row), (problem) => row.fail(problem));
    }
  }

  async send() {
    if (this.sendingCount >= AT_ONCE || !this.files.length) return;
    const next = this.files.shift();
    this.sendingCount += 1;
    this.send();
    next.row.sending();
    try {
      const job = await submit(next);
      remember(job.id, next.file.name);
      this.watch(job, next.row);
    } catch (problem) {
      next.row.fail(problem, () => this.again(next));
    }
    this.sendingCount -= 1;
    this.send();
  }

  again(next) {
    this.files.push(next);
    this.send();
  }

  watch(job, row) {
    row.update(job);
    if (isFinal(job)) return;
    this.open.set(job.id, { job, row, isStreamed: false });
    this.stream();
    this.list();
  }

  async stream() {
    const next = [...this.open.values()].find((one) => !one.isStreamed);
    if (!next || this.streamCount >= STREAMS) return;
    next.isStreamed = true;
    this.streamCount += 1;
    try {
      await follow(next.job, (job) => next.row.update(job), () => next.row.offline());
    } catch (problem) {
      next.row.fail(problem);
    }
    this.open.delete(next.job.id);
    this.streamCount -= 1;
    this.stream();
  }

  /** While more are open than are streamed: one question for all of them. */
  async list() {
    if (this.isListing) return;
    this.isListing = true;
    while (this.open.size > STREAMS) {
      await new Promise((resolve) => setTimeout(resolve, LIST_MS));
      const { jobs } = await json("/v1/jobs?limit=200").catch(() => ({ jobs: [] }));
      for (const job of jobs) {
        const one = this.open.get(job.id);
        if (!one || one.isStreamed) continue;
        if (!isFinal(job)) one.row.update(job);
        else {
          this.open.delete(job.id);
          json(job.links.self).then((whole) => one.row.update(whole), (problem) => one.row.fail(problem));
        }
      }
    }
    this.isListing = false;
  }
}

/** One submission; where the server is busy or away it is sent again, with the same key, so it is one job. */
async function submit({ file, once: key }) {
  for (let tries = 0; ; tries += 1) {
    try {
      const form = new FormData();
      form.append("file", file);
      form.append("reference", printable(file.name));
      const response = await call("/v1/jobs", { method: "POST", body: form, headers: { "Idempotency-Key": key } });
      return await response.json();
    } catch (problem) {
      const passes = problem instanceof Problem && [0, 429, 503].includes(problem.status);
      if (!passes || tries >= 8) throw problem;
      await new Promise((resolve) => setTimeout(resolve, 1000 * Math.max(problem.retryAfter, Math.min(tries + 1, 5))));
    }
  }
}

function once() {
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID is only there behind TLS
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function printable(name) {
  return [...name.replace(/\p{C}/gu, " ").trim()].slice(0, LONGEST_NAME).join("") || "image";
}

function remember(id, name) {
  sessionStorage.setItem(KEPT, JSON.stringify([...remembered(), { id, name }].slice(-MOST_KEPT)));
}
