// The page "Read": documents come in by dropping, pasting, choosing or the camera, and are read while others are sent.

import { ask, say } from "./page.js";

const AT_ONCE = 3;
const MOST_TRIES = 60;
const words = document.getElementById("read-words").dataset;
const zone = document.getElementById("drop");
const rows = document.getElementById("rows");
const section = document.getElementById("sent");
const waiting = [];
let sending = 0;
let pasted = 0;
let events = null;

function take(files) {
  if (!files.length) return say(words.noFiles);
  section.hidden = false;
  for (const file of files) {
    const row = document.getElementById("new-row").content.firstElementChild.cloneNode(true);
    row.querySelector("th").textContent = file.name;
    rows.prepend(row);
    waiting.push({ file, row, once: once() });
  }
  send();
}

async function send() {
  if (sending >= AT_ONCE || !waiting.length) return;
  const next = waiting.shift();
  sending += 1;
  send();
  next.row.querySelector(".state").textContent = words.sending;
  try {
    const text = await submit(next);
    replace(text, next.row);
    listen();
  } catch (problem) {
    refuse(next, problem);
  }
  sending -= 1;
  send();
}

/** One submission; where the server is busy or away it is sent again, with the same key, so it is one job. */
async function submit({ file, once: key, row }) {
  for (let tries = 1; ; tries += 1) {
    try {
      const form = new FormData();
      form.append("file", file, file.name);
      return await (await ask("/", { method: "POST", body: form, headers: { "Idempotency-Key": key } })).text();
    } catch (problem) {
      if (![0, 429, 502, 503, 504].includes(problem.status) || tries >= MOST_TRIES) throw problem;
      row.querySelector(".notes").textContent = problem.message;
      await new Promise((resolve) => setTimeout(resolve, 1000 * Math.max(problem.after ?? 0, Math.min(tries, 5))));
    }
  }
}

function refuse(next, problem) {
  const state = next.row.querySelector(".state");
  state.className = "state failed";
  state.textContent = words.notSent;
  const why = Object.assign(document.createElement("p"), { className: "error", textContent: problem.message });
  const again = Object.assign(document.createElement("button"), { type: "button", textContent: words.again });
  again.addEventListener("click", () => {
    why.remove();
    again.remove();
    waiting.push(next);
    send();
  });
  next.row.querySelector(".notes").replaceChildren(why, again);
}

/** Put a row of the server, whose text is escaped there, in the place of the one that it is about. */
function replace(text, before = null) {
  const holder = document.createElement("template");
  holder.innerHTML = text;
  const row = holder.content.firstElementChild;
  const known = document.getElementById(row.id);
  if (known && before && known !== before) before.remove();
  const old = known ?? before;
  const focused = old?.contains(document.activeElement);
  if (old) old.replaceWith(row);
  else rows.prepend(row);
  if (focused) row.querySelector("a")?.focus();
  if (row.dataset.state !== old?.dataset.state && ["succeeded", "failed"].includes(row.dataset.state)) {
    say(`${row.querySelector("th").innerText}: ${row.querySelector(".state").innerText}`);
  }
}

/** One stream for the whole table; where it breaks off, or the server starts again, it is opened anew. */
function listen() {
  if (events) return;
  events = new EventSource("/sent/events");
  events.addEventListener("row", (event) => replace(event.data));
  events.addEventListener("done", close);
  events.onerror = () => {
    if (events?.readyState !== EventSource.CLOSED) return;
    close();
    setTimeout(listen, 2000);
  };
}

function close() {
  events?.close();
  events = null;
}

function once() {
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID is only there behind TLS
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

for (const input of zone.querySelectorAll("input[type=file]")) {
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = "";
  });
}
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
addEventListener("beforeunload", (event) => (sending || waiting.length) && event.preventDefault());
if (section.dataset.open === "yes") listen();
