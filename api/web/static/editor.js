// The field in which a line is corrected, below that line's image, cut out and enlarged.

import { Drafts } from "./drafts.js";
import { askText, fill, mayPass, say, words } from "./page.js";
import { boxOf, sharpAddress } from "./viewer.js";

const MARGIN = 0.25;
const MOST_WAIT_S = 5;

export class Editor {
  /** saved(line, html of the line) is called once it is stored; next(line, step) goes to another uncertain one. */
  constructor(form, { saved, next }) {
    Object.assign(this, { form, saved, next, line: null, saving: new Set() });
    this.field = form.querySelector("#line-text");
    this.conflict = form.querySelector("#conflict");
    this.unsaved = document.getElementById("unsaved");
    this.drafts = new Drafts(`${form.action} ${form.elements.page_number.value}`, () => this.line);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    form.addEventListener("keydown", (event) => this.press(event));
    this.field.addEventListener("input", () => {
      this.drafts.type(this.line, this.field.value, this.form.elements.before.value);
    });
    form.querySelector("#close-editor").addEventListener("click", () => this.close());
    this.tell();
  }

  open(row) {
    const { line, read } = row.dataset;
    const now = row.querySelector(".words").textContent;
    const { text, before, said } = this.drafts.of(line) ?? { text: now, before: now };
    this.line = line;
    this.form.elements.line_number.value = line;
    this.form.elements.before.value = before;
    this.field.value = text;
    this.conflict.textContent = said ?? "";
    const label = this.form.querySelector("#line-label");
    label.textContent = this.titleOf(line);
    const was = this.form.querySelector("#was-read");
    was.textContent = read === text ? "" : fill(was.dataset.was, { text: read });
    this.cutOut(line);
    this.form.hidden = false;
    this.field.focus({ preventScroll: true });
    if (matchMedia("(max-width: 52rem)").matches) this.form.scrollIntoView({ block: "nearest" }); // the lines are below it there
    this.tell();
  }

  titleOf(line) {
    const { label } = this.form.querySelector("#line-label").dataset;
    return fill(label, { line, page: this.form.elements.page_number.value });
  }

  cutOut(line) {
    const [left, top, right, bottom] = boxOf(line);
    const margin = MARGIN * (bottom - top);
    const cut = this.form.querySelector("#cut-out");
    const image = cut.querySelector("image");
    const [width, height] = ["width", "height"].map((name) => document.getElementById("image").getAttribute(name));
    cut.setAttribute("viewBox", `${left - margin} ${top - margin} ${right - left + 2 * margin} ${bottom - top + 2 * margin}`);
    cut.setAttribute("preserveAspectRatio", "xMinYMid meet");
    for (const [name, value] of Object.entries({ href: sharpAddress(), width, height, preserveAspectRatio: "none" })) image.setAttribute(name, value);
  }

  close() {
    this.form.hidden = true;
    document.querySelector(`#line-${this.line} .line`)?.focus({ preventScroll: true });
    this.tell();
  }

  press(event) {
    if (event.key === "Escape") this.close();
    if (event.key === "Enter" && event.repeat) event.preventDefault(); // a key held down says nothing of the next line
    if (event.key !== "Tab" || event.target !== this.field || event.altKey || event.ctrlKey) return;
    if (this.next(this.line, event.shiftKey ? -1 : 1)) event.preventDefault();
  }

  isAt(line) {
    return this.line === line && !this.form.hidden;
  }

  /** Store what was typed for a line, whichever is open when the answer comes; once at a time. */
  async save() {
    const { line } = this;
    if (this.saving.has(line)) return;
    const body = new FormData(this.form);
    const sent = body.get("after");
    this.saving.add(line);
    this.drafts.set(line, { text: sent, before: body.get("before") });
    this.report(line, "");
    try {
      this.saved(line, await this.submit(line, body));
      this.stored(line, sent);
    } catch (problem) {
      this.refused(line, problem);
    }
    this.saving.delete(line);
    this.tell();
  }

  /** The answer, which is waited for where there is none: a line that holds our text by then was stored before. */
  async submit(line, body) {
    for (let tries = 1; ; tries += 1) {
      try {
        return await askText(this.form.action, { method: "POST", body });
      } catch (problem) {
        if (textNow(problem) === body.get("after").trim()) body.set("before", textNow(problem));
        else if (mayPass(problem)) await this.wait(line, problem, tries);
        else throw problem;
      }
    }
  }

  async wait(line, { isAway, message, after }, tries) {
    this.report(line, isAway ? words.trying : message);
    await new Promise((resolve) => setTimeout(resolve, 1000 * Math.max(after, Math.min(tries, MOST_WAIT_S))));
  }

  /** Go on, unless more was typed meanwhile, or somebody went on already. */
  stored(line, sent) {
    const holds = document.querySelector(`#line-${line} .words`).textContent;
    this.report(line, "");
    if (this.isAt(line)) this.form.elements.before.value = holds;
    if (this.drafts.of(line).text !== sent) return this.drafts.type(line, this.drafts.of(line).text, holds);
    this.drafts.delete(line);
    if (this.isAt(line) && !this.next(line, 1)) this.close();
  }

  refused(line, problem) {
    const now = textNow(problem);
    if (now == null) return this.report(line, problem.message);
    this.drafts.of(line).before = now;
    if (this.isAt(line)) this.form.elements.before.value = now;
    this.report(line, fill(this.conflict.dataset.conflict, { text: now }));
  }

  /** Say it at its line; where another one is open that is for later, and a screen reader hears which one is meant. */
  report(line, said) {
    this.drafts.of(line).said = said;
    if (this.line === line) this.conflict.textContent = said;
    if (said && !this.isAt(line)) say(`${this.titleOf(line)}: ${said}`);
    this.tell();
  }

  /** Say which lines hold something that is not stored, besides the one that is open. */
  tell() {
    const lines = this.drafts.lines().filter((line) => !this.isAt(line) && (!this.saving.has(line) || this.drafts.of(line).said));
    this.unsaved.textContent = lines.length ? fill(this.unsaved.dataset.unsaved, { lines: lines.join(", ") }) : "";
  }
}

/** What a line holds that somebody else has changed. */
const textNow = ({ problem }) => (problem?.code === "correction_conflict" ? problem.details?.text : null);
