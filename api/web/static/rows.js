// The table of what was sent.

import { el, say } from "./dom.js";
import { isFinal } from "./events.js";
import { forgetAll } from "./sending.js";
import { percent, t, told } from "./words.js";

export class Rows {
  constructor() {
    this.body = el("tbody");
    const heads = ["name", "state", "confidence", "notes"].map((name) => el("th", { scope: "col" }, t(name)));
    this.element = el("section", { class: "sent", hidden: true },
      el("div", { class: "bar" }, el("h2", { id: "sent-title" }, t("sent")),
        el("button", { type: "button", onclick: () => this.clear() }, t("clear_list"))),
      el("table", { "aria-labelledby": "sent-title" }, el("thead", {}, el("tr", {}, heads)), this.body));
  }

  add(name) {
    this.element.hidden = false;
    const row = new Row(name);
    this.body.append(row.element);
    return row;
  }

  clear() {
    forgetAll();
    this.body.replaceChildren();
    this.element.hidden = true;
  }
}

class Row {
  constructor(name) {
    this.name = name;
    this.title = el("th", { scope: "row", class: "name" }, name);
    this.state = el("td", { "data-label": t("state") });
    this.confidence = el("td", { "data-label": t("confidence"), class: "number" });
    this.notes = el("td", { class: "notes" });
    this.element = el("tr", {}, this.title, this.state, this.confidence, this.notes);
    this.mark("waiting", t("waiting_to_send"));
  }

  mark(state, text) {
    this.element.dataset.state = state;
    this.state.replaceChildren(el("span", { class: `state ${state}` }, text));
  }

  sending() {
    this.mark("sending", t("sending"));
    this.notes.replaceChildren();
  }

  offline() {
    this.notes.replaceChildren(el("p", { class: "warning" }, t("offline")));
  }

  update(job) {
    const pages = job.document.page_count;
    let text = t(job.state);
    if (job.state === "queued" && job.queue_position) text = t("queued_at", { place: job.queue_position });
    if (job.state === "running" && pages > 1) text = t("running_pages", { pages });
    this.mark(job.state, text);
    this.title.replaceChildren(el("a", { href: `/read/${job.id}`, "aria-label": t("open", { name: this.name }) }, this.name));
    this.confidence.textContent = job.result ? percent(job.result.confidence) : "";
    this.notes.replaceChildren(...notesOf(job));
    if (isFinal(job)) say(t("finished_one", { name: this.name, state: text }));
  }

  fail(problem, again) {
    this.mark("failed", problem.status === 410 || problem.status === 404 ? t("gone") : t("not_sent"));
    this.notes.replaceChildren(el("p", { class: "error" }, problem.message),
      again ? el("button", { type: "button", onclick: again }, t("try_again")) : "");
    say(`${this.name}: ${problem.message}`);
  }
}

/** Why a document read badly, and how its text begins. */
export function notesOf(job) {
  const notes = [];
  if (job.state === "failed" && job.error) notes.push(el("p", { class: "error" }, told(job.error.code, job.error.message)));
  const codes = new Map((job.result?.pages ?? []).flatMap((page) => page.warnings.map((one) => [one.code, one.message])));
  for (const [code, message] of codes) notes.push(el("p", { class: "warning" }, told(code, message)));
  if (job.result?.text) notes.push(el("p", { class: "excerpt" }, job.result.text.slice(0, 120)));
  return notes;
}
