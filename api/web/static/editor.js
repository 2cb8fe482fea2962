// One line, enlarged above its text. Enter saves; Tab and Shift-Tab go from one doubtful line to the next.

import { send } from "./api.js";
import { el, say } from "./dom.js";
import { percent, t } from "./words.js";

export class Editor {
  constructor(result) {
    this.result = result;
    this.canvas = el("canvas", { role: "img", "aria-label": t("cut_out") });
    this.field = el("input", { type: "text", id: "line-text", dir: "auto", spellcheck: "false", onkeydown: (event) => this.press(event) });
    this.label = el("label", { for: "line-text" });
    this.problem = el("p", { class: "error", role: "alert" });
    this.read = el("p", { class: "facts" });
    this.element = el("section", { class: "editor", hidden: true, "aria-label": t("one_line") },
      this.canvas, this.label, this.field, this.problem, this.read, el("p", { class: "facts" }, t("editor_help")));
  }

  async open(line) {
    this.line = line;
    this.element.hidden = false;
    this.label.textContent = `${t("line_of", { line: line.number, page: line.page.page_number })} · ${percent(line.confidence)}`;
    this.field.value = line.shown;
    this.problem.textContent = "";
    this.tellRead();
    this.field.focus({ preventScroll: true });
    await this.result.viewer.cutOut(line, this.canvas).catch(() => {});
  }

  press(event) {
    if (event.key === "Escape") this.close();
    if (event.key === "Enter" && !event.isComposing) this.save();
    if (event.key !== "Tab") return;
    const next = this.result.doubtful(this.line, event.shiftKey ? -1 : 1);
    if (!next) return; // on to what follows on the page: nobody is held here
    event.preventDefault();
    this.result.choose(next);
  }

  tellRead() {
    const isCorrected = this.line.shown !== this.line.text;
    this.read.textContent = isCorrected ? t("was_read", { text: this.line.text }) : "";
  }

  async save() {
    const { line, field } = this;
    const after = field.value;
    try {
      if (after !== line.shown) {
        const where = { page_number: line.page.page_number, line_number: line.number };
        await send("POST", `/v1/jobs/${this.result.job.id}/corrections`, { ...where, before: line.shown, after });
        this.result.corrected(line, after);
      }
      if (this.line !== line) return;
      const next = this.result.doubtful(line, 1);
      if (next) await this.result.choose(next);
      else this.tellRead();
      say(t("saved"));
    } catch (problem) {
      if (problem.code === "correction_conflict") {
        this.result.corrected(line, problem.details.text); // what was typed stays in the field; Enter saves it over this
        this.problem.textContent = t("conflict", { text: problem.details.text });
      } else this.problem.textContent = problem.message;
    }
  }

  close() {
    this.element.hidden = true;
    this.line.button.focus({ preventScroll: true });
  }
}
