// The page of one job: its image beside its text, each showing where the other one is.

import { call, json } from "./api.js";
import { el, say, show } from "./dom.js";
import { copyButton, downloads } from "./downloads.js";
import { Editor } from "./editor.js";
import { follow, isFinal } from "./events.js";
import { notesOf } from "./rows.js";
import { Viewer } from "./viewer.js";
import { percent, t, time } from "./words.js";

const DOUBTFUL = 0.9;

export async function start() {
  const id = location.pathname.split("/").pop();
  let job = await json(`/v1/jobs/${encodeURIComponent(id)}`);
  document.title = `${job.reference ?? job.id} · ocrelay`;
  const title = () => el("h1", {}, job.reference ?? job.id);
  if (!isFinal(job)) {
    show(title(), el("p", { class: `state ${job.state}` }, t(job.state)));
    job = await follow(job, (latest) => show(title(), el("p", { class: `state ${latest.state}` }, t(latest.state))));
  }
  if (!job.result) return show(title(), el("p", { class: `state ${job.state}` }, t(job.state)), notesOf(job));
  const { corrections } = await json(`/v1/jobs/${job.id}/corrections`);
  new Result(job, corrections).begin(title());
}

class Result {
  constructor(job, corrections) {
    this.job = job;
    this.lines = job.result.pages.flatMap((page) => page.lines.map((line, index) => Object.assign(line, {
      page, number: index + 1, isDoubtful: line.confidence != null && line.confidence < DOUBTFUL, shown: line.text })));
    for (const one of corrections) {
      const page = job.result.pages.find((page) => page.page_number === one.page_number);
      Object.assign(page.lines[one.line_number - 1], { shown: one.after, isDoubtful: false });
    }
    this.viewer = new Viewer(job, (line) => this.choose(line), (line) => this.hover(line));
    this.editor = new Editor(this);
  }

  begin(title) {
    const { result, finished_at: at } = this.job;
    const facts = `${t("confidence")} ${percent(result.confidence)} · ${time(at)} · ${result.model.name}`;
    this.pane = el("section", { class: "text", "aria-label": t("text") });
    const notes = notesOf({ ...this.job, result: { ...result, text: "" } });
    show(title, el("p", { class: "facts" }, facts), notes,
      el("div", { class: "bar" }, copyButton(t("copy_all"), () => this.text()), downloads(this.job)),
      this.pages(), el("div", { class: "both" }, this.viewer.element, el("div", { class: "side" }, this.editor.element, this.pane)));
    this.open(result.pages[0]);
  }

  pages() {
    const { pages } = this.job.result;
    if (pages.length < 2) return null;
    this.buttons = pages.map((page) => el("button", { type: "button", onclick: () => this.open(page) }, String(page.page_number)));
    return el("nav", { class: "pages", "aria-label": t("pages") }, t("pages"), this.buttons);
  }

  async open(page) {
    this.page = page;
    this.buttons?.forEach((button, index) => button.setAttribute("aria-current", this.job.result.pages[index] === page ? "true" : "false"));
    const rows = page.lines.map((line) => this.row(line));
    this.pane.replaceChildren(rows.length ? el("ol", {}, rows) : el("p", {}, t("no_text")));
    await this.viewer.show(page).catch((problem) => this.viewer.element.append(el("p", { class: "error", role: "alert" }, problem.message)));
  }

  row(line) {
    line.words_shown = el("span", { dir: "auto" }, line.shown);
    const mended = line.shown === line.text ? null : el("span", { class: "mended" }, `✎ ${t("corrected")}`);
    const label = line.isDoubtful ? el("span", { class: "doubt" }, `▲ ${percent(line.confidence)}`, el("span", { class: "unseen" }, ` ${t("doubtful")}`)) : null;
    line.button = el("button", { type: "button", class: line.isDoubtful ? "line doubtful" : "line", title: line.shown === line.text ? null : t("was_read", { text: line.text }), onclick: () => this.choose(line),
      onpointerenter: () => this.hover(line), onpointerleave: () => this.hover(null), onfocus: () => this.hover(line) }, line.words_shown, label, mended);
    return el("li", {}, line.button, copyButton("⧉", () => line.shown, t("copy_line")));
  }

  hover(line) {
    this.viewer.mark("hovered", line);
    for (const one of this.pane.querySelectorAll(".hovered")) one.classList.remove("hovered");
    if (line?.page === this.page) line.button.classList.add("hovered");
  }

  async choose(line) {
    if (line.page !== this.page) await this.open(line.page);
    this.viewer.mark("chosen", line);
    for (const one of this.pane.querySelectorAll("[aria-current]")) one.removeAttribute("aria-current");
    line.button.setAttribute("aria-current", "true");
    await this.editor.open(line);
    say(t("line_of", { line: line.number, page: line.page.page_number }));
  }

  /** The next doubtful line in one direction; nothing after the last. */
  doubtful(line, step) {
    const at = this.lines.indexOf(line);
    const rest = step > 0 ? this.lines.slice(at + 1) : this.lines.slice(0, at).reverse();
    return rest.find((one) => one.isDoubtful);
  }

  /** What people say that a line holds; nobody doubts it any more. */
  corrected(line, text) {
    Object.assign(line, { shown: text, isDoubtful: false });
    if (line.page !== this.page) return;
    const before = line.button.parentElement;
    before.replaceWith(this.row(line));
    this.viewer.settle(line);
  }

  text() {
    return this.job.result.pages.filter((page) => page.lines.length).map((page) => page.lines.map((line) => line.shown).join("\n")).join("\n\n");
  }
}
