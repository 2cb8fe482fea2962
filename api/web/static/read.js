// The page "Read": documents come in by dropping, pasting, choosing or the camera, and are read while others are sent.

import { ask, askText, fill, mayPass, owner, say, session, telling, words as everywhere } from "./page.js";
import * as waiting from "./waiting.js";

const AT_ONCE = 3;
const MOST_TRIES = 60;
const ENDED = ["succeeded", "failed", "cancelled"];
const PATIENCE_MS = 5_000;
const words = document.getElementById("read-words").dataset;
const zone = document.getElementById("drop");
const rows = document.getElementById("rows");
const section = document.getElementById("sent");
const queue = [];
const together = document.getElementById("together");
const beginning = new Map(); // by the marks of groups: until their batch is there
const lost = new Map(); // by the names of files: how the row goes that asks for it
let last = 0;
let sending = 0;
let pasted = 0;
let events = null;
let silence;

function take(files) {
  if (!files.length) return say(words.noFiles);
  let group = null;
  const most = Number(words.most);
  for (const [place, file] of files.entries()) {
    lost.get(file.name)?.();
    if (place % most === 0) group = together.checked && files.length > 1 ? { mark: once(), name: nameOf(files.slice(place, place + most)) } : null;
    const next = rowFor({ once: once(), at: (last = Math.max(last + 1, Date.now())), name: file.name, owner, group });
    waiting.note(next.note);
    waiting.keep(next.note, file);
    queue.push(Object.assign(next, { file }));
  }
  send();
}

const nameOf = (files) => (files.length > 1 ? `${files[0].name} +${files.length - 1}` : files[0].name);

/** A row for a file that the server does not know yet. */
function rowFor(note) {
  const row = document.getElementById("new-row").content.firstElementChild.cloneNode(true);
  row.querySelector("th").textContent = note.name;
  rows.prepend(row);
  section.hidden = false;
  return { note, row };
}

/** After a reload: what had not been sent goes on, and where its bytes are not to be had that is said. */
async function goOn() {
  for (const next of waiting.notes().map(rowFor)) {
    const { note } = next;
    const file = note.owner === owner ? await waiting.bytesOf(note.once) : null;
    if (!file) lose(next);
    else if (note.why) refuse(Object.assign(next, { file }), note.why);
    else queue.push(Object.assign(next, { file }));
    send();
  }
  waiting.tidy(owner);
}

async function send() {
  if (sending >= AT_ONCE || !queue.length) return;
  const next = queue.shift();
  sending += 1;
  send();
  next.row.querySelector(".state").textContent = words.sending;
  try {
    const text = await submit(next);
    waiting.forget(next.note.once);
    replace(text, next.row);
    listen();
  } catch (problem) {
    if (!session.isOver) waiting.note({ ...next.note, why: problem.message }); // else it goes on after signing in
    refuse(next, problem.message);
  }
  sending -= 1;
  send();
}

/** One submission; where the server is busy or away it is sent again, with the same key, so it is one job. */
async function submit({ file, note, row }) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await inBatch(note.group, async (batch) => {
        const form = new FormData();
        form.append("file", file, note.name);
        if (batch) form.append("batch", batch);
        if (batch) form.append("batch_name", note.group.name);
        return askText("/", { method: "POST", body: form, headers: { "Idempotency-Key": note.once } });
      });
    } catch (problem) {
      if (!mayPass(problem) || tries >= MOST_TRIES) throw problem;
      row.querySelector(".notes").textContent = problem.isAway ? everywhere.trying : problem.message;
      await new Promise((resolve) => setTimeout(resolve, 1000 * Math.max(problem.after ?? 0, Math.min(tries, 5))));
    }
  }
}

/** The first file of a group that is accepted begins its batch; the others wait for that, and join it. */
async function inBatch(group, go) {
  if (!group) return go(null);
  while (beginning.has(group.mark)) await beginning.get(group.mark);
  const known = waiting.batchOf(group.mark);
  if (known) return go(known);
  const first = go("new");
  beginning.set(group.mark, first.then((text) => begin(group, rowOf(text).dataset.batch)).catch(() => {}).finally(() => beginning.delete(group.mark)));
  return first;
}

function begin(group, batch) {
  waiting.noteBatch(group.mark, batch);
  if (document.querySelector(`#batches [data-batch="${batch}"]`)) return;
  const item = document.getElementById("new-batch").content.firstElementChild.cloneNode(true);
  item.dataset.batch = batch;
  item.firstElementChild.href = `/batches/${batch}`;
  item.firstElementChild.append(group.name);
  document.getElementById("batches").prepend(item);
}

/** Say in a file's row that it was not sent, and why, with buttons for what can be done. */
function refuse(next, why, orders = { [words.again]: () => again(next), [words.remove]: () => remove(next) }) {
  const state = next.row.querySelector(".state");
  state.className = "state failed";
  state.textContent = words.notSent;
  const buttons = Object.entries(orders).map(([title, order]) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: title });
    button.addEventListener("click", order);
    return button;
  });
  const said = Object.assign(document.createElement("p"), { className: "error", textContent: why });
  const below = Object.assign(document.createElement("div"), { className: "buttons" });
  below.append(...buttons);
  next.row.querySelector(".notes").replaceChildren(said, below);
}

function again(next) {
  const state = next.row.querySelector(".state");
  state.className = "state sending";
  state.textContent = words.waiting;
  next.row.querySelector(".notes").replaceChildren();
  waiting.note(next.note);
  queue.push(next);
  send();
}

function remove(next) {
  waiting.forget(next.note.once);
  lost.delete(next.note.name);
  next.row.remove();
  if (!rows.firstElementChild) section.hidden = true;
}

function lose(next) {
  lost.set(next.note.name, () => remove(next));
  refuse(next, words.chooseAgain, { [words.remove]: () => remove(next) });
}

/** A row of the server, whose text is escaped there. */
function rowOf(text) {
  const holder = document.createElement("template");
  holder.innerHTML = text;
  return holder.content.firstElementChild;
}

/** Put a row of the server in the place of the one that it is about. */
function replace(text, before = null) {
  const row = rowOf(text);
  const known = document.getElementById(row.id);
  if (known && before && known !== before) before.remove();
  const old = known ?? before;
  const focused = old?.contains(document.activeElement);
  if (old) old.replaceWith(row);
  else rows.prepend(row);
  if (focused) row.querySelector("a")?.focus();
  if (row.dataset.state !== old?.dataset.state && ["succeeded", "failed"].includes(row.dataset.state)) {
    say(`${row.querySelector("th").innerText}: ${row.querySelector(".state").innerText}`, false);
  }
}

/** One stream for the whole table; where it breaks off, or the server starts again, it is opened anew. */
function listen() {
  if (events) return;
  events = new EventSource("/sent/events");
  events.addEventListener("row", (event) => replace(event.data));
  events.addEventListener("done", close);
  events.onopen = () => {
    silence = void clearTimeout(silence);
    telling.found();
  };
  events.onerror = () => {
    silence ??= setTimeout(telling.lost, PATIENCE_MS); // it breaks off now and then, and goes on at once
    if (events?.readyState !== EventSource.CLOSED) return;
    close();
    setTimeout(reopen, 2000);
  };
}

/** Where the stream is refused: who was signed out signs in, else it is tried again. */
async function reopen() {
  await ask("/sent/events").then((answer) => answer.body.cancel()).catch(() => {});
  if (!session.isOver) listen();
}

function close() {
  events?.close();
  events = null;
}

function once() {
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID is only there behind TLS
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const inputs = zone.querySelectorAll("input[type=file]");
function takeChosen(input) {
  take([...input.files]);
  input.value = "";
}
for (const input of inputs) input.addEventListener("change", () => takeChosen(input));
const states = () => [...rows.children].map((row) => row.dataset.state);
const count = () => (document.getElementById("sent-count").textContent = fill(words.count, { done: states().filter((state) => ENDED.includes(state)).length, all: rows.children.length }));
new MutationObserver(count).observe(rows, { childList: true });
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
  take(files.map((file) => new File([file], `${words.pasted} ${(pasted += 1)}`, { type: file.type })));
});
addEventListener("beforeunload", (event) => (sending || queue.length) && !session.isOver && event.preventDefault());
document.getElementById("clear").addEventListener("submit", () => waiting.forgetAll());
session.mayLeave = waiting.kept;
goOn();
for (const input of inputs) if (input.files.length) takeChosen(input); // chosen before this script was there
if (section.dataset.open === "yes") listen();
