// One line, enlarged above its text. Tab and Shift-Tab go from one doubtful line to the next.

import { el } from "./dom.js";
import { percent, t } from "./words.js";

export class Editor {
  constructor(result) {
    this.result = result;
    this.canvas = el("canvas", { role: "img", "aria-label": t("cut_out") });
    this.field = el("input", { type: "text", id: "line-text", dir: "auto", spellcheck: "false", readonly: true, onkeydown: (event) => this.press(event) });
    this.label = el("label", { for: "line-text" });
    this.element = el("section", { class: "editor", hidden: true, "aria-label": t("one_line") },
      this.canvas, this.label, this.field, el("p", { class: "facts" }, t("editor_help")));
  }

  async open(line) {
    this.line = line;
    this.element.hidden = false;
    this.label.textContent = `${t("line_of", { line: line.number, page: line.page.page_number })} · ${percent(line.confidence)}`;
    this.field.value = line.shown;
    this.field.focus({ preventScroll: true });
    await this.result.viewer.cutOut(line, this.canvas).catch(() => {});
  }

  press(event) {
    if (event.key === "Escape") this.close();
    if (event.key !== "Tab") return;
    const next = this.result.doubtful(this.line, event.shiftKey ? -1 : 1);
    if (!next) return; // on to what follows on the page: nobody is held here
    event.preventDefault();
    this.result.choose(next);
  }

  close() {
    this.element.hidden = true;
    this.line.button.focus({ preventScroll: true });
  }
}
