// What waits to be sent outlives a reload: a note of each file in the tab's session, its bytes in the browser's database.

const MARK = "ocrelay-waiting ";
const BATCH = "ocrelay-batch ";
const DAY_MS = 86_400_000;

/** Null where the browser gives a page no database: then the notes alone stay. */
const opened = new Promise((resolve, reject) => {
  const request = indexedDB.open("ocrelay", 1);
  request.onupgradeneeded = () => request.result.createObjectStore("files", { keyPath: "once" });
  request.onsuccess = () => resolve(request.result);
  request.onerror = request.onblocked = reject;
}).catch(() => null);

async function ask(mode, question) {
  const database = await opened;
  if (!database) return null;
  return new Promise((resolve) => {
    try {
      const transaction = database.transaction("files", mode, { durability: "relaxed" });
      const request = question(transaction.objectStore("files"));
      transaction.oncomplete = () => resolve(request.result ?? null);
      transaction.onabort = () => resolve(null); // also where the disk is full
    } catch {
      resolve(null);
    }
  });
}

/** The notes of this tab, in the order in which their files came. */
export function notes() {
  const names = Object.keys(sessionStorage).filter((name) => name.startsWith(MARK));
  return names.map((name) => JSON.parse(sessionStorage[name])).sort((one, other) => one.at - other.at);
}

export function note(one) {
  store(MARK + one.once, JSON.stringify(one));
}

function store(name, text) {
  try {
    sessionStorage.setItem(name, text);
  } catch {} // full, or forbidden: the question before leaving is what is left
}

const batches = new Map();
export const batchOf = (mark) => batches.get(mark) ?? sessionStorage.getItem(BATCH + mark);
export function noteBatch(mark, batch) {
  batches.set(mark, batch);
  store(BATCH + mark, batch);
}

let keeping = Promise.resolve();
export function keep({ once, owner, at }, file) {
  keeping = Promise.all([keeping, ask("readwrite", (files) => files.put({ once, owner, at, file }))]);
}
/** Until what was given to keep is kept: who leaves the page before that loses it. */
export const kept = () => keeping;

export const bytesOf = async (once) => (await ask("readonly", (files) => files.get(once)))?.file ?? null;

export function forget(once) {
  sessionStorage.removeItem(MARK + once);
  ask("readwrite", (files) => files.delete(once));
}

export async function forgetAll() {
  for (const { once } of notes()) sessionStorage.removeItem(MARK + once);
  await ask("readwrite", (files) => files.clear());
}

/** What is left of others who had signed in here goes at once, and what tabs left that were closed after a day. */
export async function tidy(mine) {
  for (const { once, owner, at } of (await ask("readonly", (files) => files.getAll())) ?? []) {
    if (owner !== mine || at < Date.now() - DAY_MS) ask("readwrite", (files) => files.delete(once));
  }
}
