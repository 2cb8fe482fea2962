// Parts of a page that ask for themselves: only what is ours takes their place, and where nothing comes that is said.

import { telling } from "./page.js";

const PATIENCE_MS = 10_000;
let patience;

/** A part of a page, an error with its own place, or an order to go elsewhere; a proxy answers with something else. */
function isOurs({ ok, headers }) {
  if (["HX-Retarget", "HX-Redirect", "HX-Refresh"].some((name) => headers.has(name))) return true;
  return ok && (headers.get("Content-Type") ?? "").startsWith("text/html");
}

/** No answer at all is one that is not ours; htmx would complain of it in the console. */
async function answerOf(address, request) {
  try {
    return await fetch(address, request);
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    return new Response(null, { status: 504 });
  }
}

document.addEventListener("htmx:before:request", (event) => {
  event.detail.ctx.fetch = answerOf;
  clearTimeout(patience);
  patience = setTimeout(() => telling.lost(), PATIENCE_MS);
});
document.addEventListener("htmx:before:response", (event) => {
  const answer = event.detail.ctx.response.raw;
  if (!isOurs(answer)) {
    event.preventDefault();
    telling.lost();
  } else if (answer.ok) telling.found();
});
document.addEventListener("htmx:finally:request", () => clearTimeout(patience));
