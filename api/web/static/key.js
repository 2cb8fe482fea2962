// The API key: entered once, kept until the tab is closed, sent as a header and nowhere else.

import { el } from "./dom.js";
import { t } from "./words.js";

const KEPT = "ocrelay-key";
let asking = null;

export const key = () => sessionStorage.getItem(KEPT);

export function forgetKey() {
  sessionStorage.removeItem(KEPT);
  location.reload();
}

/** Ask for a key unless there is another one by now; resolves to whether it is worth to try again. */
export function askForKey(refused, problem) {
  if (key() !== refused) return Promise.resolve(key() !== null);
  asking ??= new Promise((resolve) => dialog(refused, problem, resolve)).finally(() => (asking = null));
  return asking;
}

function dialog(refused, problem, resolve) {
  const field = el("input", { type: "password", id: "key-field", autocomplete: "off", spellcheck: "false", required: true });
  const why = refused ? t("key_wrong", { reason: problem.detail }) : t("key_why");
  const box = el(
    "dialog",
    { "aria-labelledby": "key-title", class: "key" },
    el("h2", { id: "key-title" }, t("key")),
    el("p", { role: refused ? "alert" : null }, why),
    el("label", { for: "key-field" }, t("key")),
    field,
    el("div", { class: "buttons" },
      el("button", { type: "button", class: "main", onclick: use }, t("key_enter")),
      el("button", { type: "button", onclick: () => box.close() }, t("cancel"))),
  );
  let taken = false;
  function use() {
    if (!field.value.trim()) return field.focus();
    sessionStorage.setItem(KEPT, field.value.trim());
    taken = true;
    dispatchEvent(new Event("key-entered"));
    box.close();
  }
  field.addEventListener("keydown", (event) => event.key === "Enter" && use());
  box.addEventListener("close", () => {
    box.remove();
    resolve(taken);
  });
  document.body.append(box);
  box.showModal();
}
