// What people take away: the text by copying, files in every format of the service.

import { call } from "./api.js";
import { el, say } from "./dom.js";
import { t } from "./words.js";

/** A button that copies what `text()` returns. */
export function copyButton(label, text, name = label) {
  return el("button", { type: "button", class: "copy", "aria-label": name, title: name, onclick: async () => say((await copy(text())) ? t("copied") : t("not_copied")) }, label);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyWithoutTls(text); // a browser has no clipboard for pages that come by plain HTTP from elsewhere
  }
}

function copyWithoutTls(text) {
  const before = document.activeElement;
  const field = el("textarea", { class: "hidden-input" });
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  before?.focus();
  return done;
}

export function downloads(job) {
  const formats = document.body.dataset.formats.split(" ");
  const format = el("select", { "aria-label": t("format") }, formats.map((name) => el("option", { value: name }, name)));
  const corrected = el("input", { type: "checkbox", checked: true });
  const problem = el("span", { class: "error", role: "alert" });
  const go = async () => {
    problem.textContent = "";
    try {
      await save(`${job.links.result}?format=${format.value}&corrected=${corrected.checked}`);
    } catch (error) {
      problem.textContent = error.message;
    }
  };
  return el("div", { class: "buttons" }, problem, el("label", {}, corrected, ` ${t("with_corrections")}`), format, el("button", { type: "button", class: "main", onclick: go }, t("download")));
}

async function save(address) {
  const response = await call(address, { headers: { Accept: "*/*" } });
  const name = /filename="?([^";]+)/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? "result";
  const url = URL.createObjectURL(await response.blob());
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
