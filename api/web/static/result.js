// The page of one document: lines and polygons show each other, and doubtful lines are gone through by Tab.

import { askText, copy, say } from "./page.js";
import { Editor } from "./editor.js";
import { polygonOf, start } from "./viewer.js";

const result = document.getElementById("result");
const words = document.getElementById("result-words").dataset;
const all = () => [...document.querySelectorAll("#text li")];
const rowOf = (line) => document.getElementById(`line-${line}`);
const textOf = (row) => row.querySelector(".words").textContent;
const form = document.getElementById("editor");
const editor = form && new Editor(form, { saved, next });

function mark(name, line) {
  for (const one of document.querySelectorAll(`polygon.${name}, .line.${name}`)) one.classList.remove(name);
  if (line == null) return;
  polygonOf(line)?.classList.add(name);
  rowOf(line)?.querySelector(".line").classList.add(name);
}

/** Scrolls the text alone, and only as far as it must: the view stays where it is. */
function reveal(row) {
  const pane = document.getElementById("text");
  const [inner, outer] = [row.getBoundingClientRect(), pane.getBoundingClientRect()];
  if (inner.top < outer.top) pane.scrollTop -= outer.top - inner.top + 8;
  else if (inner.bottom > outer.bottom) pane.scrollTop += inner.bottom - outer.bottom + 8;
}

function choose(line) {
  mark("chosen", line);
  for (const one of document.querySelectorAll("#text [aria-current]")) one.removeAttribute("aria-current");
  const row = rowOf(line);
  row.querySelector(".line").setAttribute("aria-current", "true");
  reveal(row);
  editor?.open(row);
}

/** Go on to the next uncertain line, or the one before, on another page if there is none here; false: there is none. */
function next(line, step) {
  const rows = all();
  const at = rows.findIndex((row) => row.dataset.line === line);
  const rest = step > 0 ? rows.slice(at + 1) : rows.slice(0, Math.max(at, 0)).reverse();
  const found = rest.find((row) => row.querySelector(".line.doubtful"));
  const elsewhere = step > 0 ? result.dataset.next : result.dataset.previous;
  if (found) choose(found.dataset.line);
  else if (elsewhere) location.assign(elsewhere);
  return Boolean(found ?? elsewhere);
}

/** Put the line of the server, whose text is escaped there, in the place of the old one, and how many are left. */
function saved(line, text) {
  const holder = document.createElement("template");
  holder.innerHTML = text;
  const [row, ...others] = holder.content.children;
  rowOf(line).replaceWith(row);
  for (const one of others) document.getElementById(one.id)?.replaceWith(one);
  if (!others.some((one) => one.id === "review")) document.getElementById("review")?.remove();
  polygonOf(line)?.classList.remove("doubtful");
  say(words.saved);
}

document.getElementById("copy-all").addEventListener("click", async (event) => {
  try {
    const layout = document.getElementById("layout").checked ? "&layout=on" : "";
    await copy((await askText(event.target.dataset.address + layout, { headers: { Accept: "text/plain, application/problem+json" } })).trimEnd());
  } catch (problem) {
    say(problem.message);
  }
});

if (result) {
  const pane = document.getElementById("text");
  const lineOf = (event) => event.target.closest("li")?.dataset.line ?? null;
  start({
    chosen: choose,
    hovered: (line) => mark("hovered", line),
    taken: (lines) => (lines.length ? copy(lines.map((line) => textOf(rowOf(line))).join("\n")) : say(words.nothing)),
  });
  pane.addEventListener("pointerover", (event) => mark("hovered", lineOf(event)));
  pane.addEventListener("pointerleave", () => mark("hovered", null));
  pane.addEventListener("focusin", (event) => mark("hovered", lineOf(event)));
  pane.addEventListener("click", (event) => {
    if (event.target.closest(".copy")) copy(textOf(event.target.closest("li")));
    else if (event.target.closest(".line")) choose(lineOf(event));
  });
  document.addEventListener("click", (event) => event.target.id === "review" && (next(null, 1) || next("Infinity", -1)));
  if (document.readyState === "complete") enter();
  else addEventListener("load", () => setTimeout(enter)); // before, the browser goes to the line itself, and takes the focus there
}

/** Open the line that the address names, or the one that was open before signing in again. */
function enter() {
  const { wasAt } = editor?.drafts ?? {};
  if (wasAt && rowOf(wasAt)) return choose(wasAt);
  const doubts = all().filter((row) => row.querySelector(".line.doubtful"));
  if (location.hash === "#first-doubt" && doubts.length) choose(doubts[0].dataset.line);
  else if (location.hash === "#last-doubt" && doubts.length) choose(doubts.at(-1).dataset.line);
  else if (/^#line-\d+$/.test(location.hash) && rowOf(location.hash.slice(6))) choose(location.hash.slice(6));
}
