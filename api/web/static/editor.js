// The field in which a line is corrected, below that line's image, cut out and enlarged.

import { ask, fill } from "./page.js";
import { boxOf, sharpAddress } from "./viewer.js";

const MARGIN = 0.25;

export class Editor {
  /** saved(line, html of the line) is called once it is stored; next(line, step) goes to another uncertain one. */
  constructor(form, { saved, next }) {
    Object.assign(this, { form, saved, next });
    this.field = form.querySelector("#line-text");
    this.conflict = form.querySelector("#conflict");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    form.addEventListener("keydown", (event) => this.press(event));
    form.querySelector("#close-editor").addEventListener("click", () => this.close());
  }

  open(row) {
    const { line, read } = row.dataset;
    const text = row.querySelector(".words").textContent;
    this.line = line;
    this.form.elements.line_number.value = line;
    this.form.elements.before.value = text;
    this.field.value = text;
    this.conflict.textContent = "";
    const label = this.form.querySelector("#line-label");
    label.textContent = fill(label.dataset.label, { line, page: this.form.elements.page_number.value });
    const was = this.form.querySelector("#was-read");
    was.textContent = read === text ? "" : fill(was.dataset.was, { text: read });
    this.cutOut(line);
    this.form.hidden = false;
    this.field.focus({ preventScroll: true });
    if (matchMedia("(max-width: 52rem)").matches) this.form.scrollIntoView({ block: "nearest" }); // the lines are below it there
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
  }

  press(event) {
    if (event.key === "Escape") this.close();
    if (event.key !== "Tab" || event.target !== this.field || event.altKey || event.ctrlKey) return;
    if (this.next(this.line, event.shiftKey ? -1 : 1)) event.preventDefault();
  }

  async save() {
    const line = this.line;
    try {
      const answer = await ask(this.form.action, { method: "POST", body: new FormData(this.form) });
      this.saved(line, await answer.text());
      if (this.line === line && !this.next(line, 1)) this.close();
    } catch (problem) {
      const now = problem.problem?.code === "correction_conflict" ? problem.problem.details?.text : null;
      if (now == null) return void (this.conflict.textContent = problem.message);
      this.form.elements.before.value = now;
      this.conflict.textContent = fill(this.conflict.dataset.conflict, { text: now });
    }
  }
}
