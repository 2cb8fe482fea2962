// The page "Read": documents come in by dropping, pasting, choosing or the camera, and are read while others are sent.

import { json } from "./api.js";
import { el, say, show } from "./dom.js";
import { remembered, Sending } from "./sending.js";
import { Rows } from "./rows.js";
import { t } from "./words.js";

const KINDS = "image/*,application/pdf,.tif,.tiff";
const HINTS = ["hint_clear", "hint_frontal", "hint_free"];
let pastedCount = 0;

export async function start() {
  document.title = `${t("read")} · ocrelay`;
  const rows = new Rows();
  const sending = new Sending(rows);
  const take = (files) => {
    if (!files.length) say(t("no_files"));
    sending.add(files);
  };
  show(el("h1", {}, t("drop_title")), dropZone(take), hints(), rows.element);
  listen(take);
  const before = remembered();
  if (before.length) sending.resume(before);
  else await json("/v1/jobs?limit=1"); // asks for the key before somebody has dropped two hundred files
}

function dropZone(take) {
  const pick = (input) => {
    take([...input.files]);
    input.value = "";
  };
  const files = el("input", { type: "file", id: "files", multiple: true, accept: KINDS, class: "hidden-input", onchange: (e) => pick(e.target) });
  const camera = el("input", { type: "file", id: "camera", accept: "image/*", capture: "environment", class: "hidden-input", onchange: (e) => pick(e.target) });
  return el("section", { id: "drop", "aria-label": t("drop_title") },
    el("p", {}, t("drop_here")),
    el("div", { class: "buttons" },
      files, el("label", { for: "files", class: "button main" }, t("choose")),
      camera, el("label", { for: "camera", class: "button" }, t("camera"))));
}

function hints() {
  return el("details", { class: "hints", open: true }, el("summary", {}, t("hints")), el("ul", {}, HINTS.map((name) => el("li", {}, t(name)))));
}

function listen(take) {
  const zone = document.getElementById("drop");
  let depth = 0;
  const mark = (change) => zone.classList.toggle("over", (depth = Math.max(0, depth + change)) > 0);
  addEventListener("dragenter", () => mark(1));
  addEventListener("dragleave", () => mark(-1));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    mark(-depth);
    take([...event.dataTransfer.files]);
  });
  addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (!files.length) return;
    event.preventDefault();
    take(files.map((file) => new File([file], t("pasted", { number: (pastedCount += 1) }), { type: file.type })));
  });
}
