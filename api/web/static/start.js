// Every page begins here: the head with its choices, then the page that the server named.

import { el, show, say } from "./dom.js";
import { forgetKey, key } from "./key.js";
import { applyTheme, chooseTheme, theme, THEMES } from "./theme.js";
import { chooseLanguage, language, NAMES, t } from "./words.js";

const PAGES = { read: () => import("./read.js"), result: () => import("./result.js"), jobs: () => import("./jobs.js") };

function link(name, address) {
  const here = location.pathname === address;
  return el("li", {}, el("a", { href: address, "aria-current": here ? "page" : null }, t(name)));
}

function choice(label, names, current, choose) {
  const options = Object.entries(names).map(([value, text]) => el("option", { value, selected: value === current }, text));
  return el("select", { "aria-label": label, title: label, onchange: (event) => choose(event.target.value) }, options);
}

function head() {
  const themes = Object.fromEntries(THEMES.map((name) => [name, t(`theme_${name}`)]));
  const forget = el("button", { type: "button", onclick: forgetKey, hidden: !key() }, t("key_forget"));
  addEventListener("key-entered", () => (forget.hidden = false));
  document.getElementById("top").append(
    el("a", { class: "skip", href: "#main" }, t("skip")),
    el("a", { class: "brand", href: "/" }, "ocrelay"),
    el("nav", {}, el("ul", {}, link("read", "/"), link("jobs", "/jobs"), link("api", "/docs"))),
    el("div", { class: "choices" },
      choice(t("language"), NAMES, language(), chooseLanguage),
      choice(t("theme"), themes, theme(), chooseTheme),
      forget),
  );
}

async function begin() {
  document.documentElement.lang = language() === "zh" ? "zh-CN" : "en";
  applyTheme();
  head();
  try {
    const page = await PAGES[document.body.dataset.page]();
    await page.start();
  } catch (error) {
    show(el("p", { class: "error", role: "alert" }, error.message));
    say(error.message);
  }
}

begin(); // not awaited here: the page has loaded, though a key may still be asked for
