// The page's texts in the language of the browser, or the one that was chosen.

import { EN } from "./words/en.js";
import { ZH } from "./words/zh.js";

const LANGUAGES = { en: EN, zh: ZH };
const CHOICE = "ocrelay-language";

export const NAMES = { en: "English", zh: "中文" };

export function language() {
  const wanted = localStorage.getItem(CHOICE) ?? navigator.language;
  return wanted.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export function chooseLanguage(name) {
  localStorage.setItem(CHOICE, name);
  location.reload();
}

/** The text of a name, with what stands in braces filled in. */
export function t(name, values = {}) {
  const text = LANGUAGES[language()][name] ?? EN[name] ?? name;
  return text.replace(/\{(\w+)\}/g, (_, key) => String(values[key] ?? ""));
}

/** The text of a name if there is one, else what the server said. */
export function told(name, said) {
  return LANGUAGES[language()][name] ?? said ?? name;
}

export function time(text) {
  const options = { dateStyle: "medium", timeStyle: "medium" };
  return text ? new Intl.DateTimeFormat(language() === "zh" ? "zh-CN" : navigator.language, options).format(new Date(text)) : "";
}

export function percent(share) {
  return share == null ? "–" : `${(100 * share).toFixed(1)} %`;
}
