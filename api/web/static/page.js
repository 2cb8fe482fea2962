// What every page needs: times in the viewer's zone, questions before what cannot be undone, words that come and go.

export const words = document.getElementById("words").dataset;
const meta = (name) => document.querySelector(`meta[name=${name}]`).content;
const token = meta("form-token");
export const owner = meta("owner"); // whoever signs in next in this tab gets nothing that another one had left
export const session = { isOver: false, mayLeave: async () => {} };

const SEEN_MS = 4000;
let vanishing = 0;

/** Say something to everybody, or to screen readers alone what is seen anyway. */
export function say(text, isSeen = true) {
  const said = document.getElementById("said");
  said.textContent = text;
  said.classList.toggle("seen", isSeen);
  clearTimeout(vanishing);
  vanishing = setTimeout(() => said.classList.remove("seen"), SEEN_MS);
}

export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

/** What stands on the page is as it was, while nothing answers; said once, and no longer than that is so. */
export const telling = {
  lost: () => problem.textContent === words.stale || (problem.textContent = words.stale),
  found: () => problem.replaceChildren(),
};
const problem = document.getElementById("problem");

const away = () => Object.assign(new Error(words.offline), { status: 0, isAway: true });

/** Ask for a text; an answer that breaks off in the middle is none. */
export async function askText(address, options) {
  const response = await ask(address, options);
  return response.text().catch(() => {
    throw away();
  });
}

/** Ask our own server as a script: an answer that is no success throws what the problem says. */
export async function ask(address, options = {}) {
  const headers = { Accept: "application/problem+json", "X-CSRF-Token": token, ...options.headers };
  let response;
  try {
    response = await fetch(address, { ...options, headers });
  } catch {
    throw away();
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  session.isOver ||= response.status === 401 || problem.code === "stale_form"; // signed in anew in another tab
  if (response.status === 401) session.mayLeave().then(() => location.reload());
  const text = [problem.title_shown, problem.detail_shown ?? problem.detail].filter(Boolean).join(": ");
  const isAway = [502, 504].includes(response.status); // a proxy says so, in its own words
  const after = Number(response.headers.get("Retry-After")) || 0;
  throw Object.assign(new Error((!isAway && text) || words.offline), { status: response.status, isAway, after, problem });
}

/** Whether the same question may be answered later. */
export const mayPass = ({ problem, status }) => problem?.retryable ?? [0, 502, 503, 504].includes(status);

export async function copy(text) {
  try {
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else if (!copyBySelection(text)) throw new Error();
    say(words.copied);
  } catch {
    say(words.notCopied);
  }
}

/** Without TLS a browser has no clipboard for pages, but still this. */
function copyBySelection(text) {
  const field = Object.assign(document.createElement("textarea"), { value: text, className: "unseen" });
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}

export function showTimes(root = document) {
  const [shape, exact] = ["short", "medium"].map((timeStyle) => new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle }));
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (!isNaN(moment)) time.textContent = ("exact" in time.dataset ? exact : shape).format(moment);
    time.title = time.dateTime;
  }
}

document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
  else if ("busy" in event.target.dataset && event.submitter) {
    if (event.submitter.ariaBusy) event.preventDefault(); // ordered already
    event.submitter.ariaBusy = "true";
  }
  if ("forget" in event.target.dataset) sessionStorage.clear();
}, true);
document.addEventListener("htmx:after:swap", () => showTimes());
showTimes();
