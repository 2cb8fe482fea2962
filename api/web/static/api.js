// The one way to the API: the key goes along as a header, a refused key is asked for again, an error is a Problem.

import { askForKey, key } from "./key.js";
import { t, told } from "./words.js";

export class Problem extends Error {
  constructor(status, body, retryAfter = 0) {
    super(told(body.code, body.detail ?? String(status)));
    Object.assign(this, { status, code: body.code ?? "", retryAfter, details: body.details ?? {} });
  }
}

/** Send a request; returns the response, or throws a Problem (status 0: the server did not answer). */
export async function call(path, options = {}) {
  const headers = { Accept: "application/json", ...options.headers };
  const used = key();
  if (used) headers["Authorization"] = `Bearer ${used}`;
  let response;
  try {
    response = await fetch(path, { ...options, headers, cache: "no-store", credentials: "omit" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { detail: t("offline") });
  }
  if (response.ok || response.status === 304) return response;
  const body = await response.json().catch(() => ({}));
  if (response.status === 401 && (await askForKey(used, body))) return call(path, options);
  throw new Problem(response.status, body, Number(response.headers.get("Retry-After")) || 0);
}

export async function json(path, options) {
  return (await call(path, options)).json();
}

/** Send an object; returns what the answer holds. */
export function send(method, path, object) {
  const body = object === undefined ? undefined : JSON.stringify(object);
  return call(path, { method, body, headers: body ? { "Content-Type": "application/json" } : {} });
}
