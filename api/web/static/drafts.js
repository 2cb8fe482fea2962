// What was typed for lines and is not stored yet: it stays while the page does, and outlives signing in again.

import { owner, session } from "./page.js";

const NAME = "ocrelay-drafts";

export class Drafts {
  /** place: of which page of which document; at() is the line that is open. */
  constructor(place, at) {
    Object.assign(this, { place, at, held: new Map() });
    const left = JSON.parse(sessionStorage.getItem(NAME) ?? "null");
    if (left && (left.owner !== owner || left.place === place)) sessionStorage.removeItem(NAME);
    if (left?.owner === owner && left.place === place) {
      this.held = new Map(left.held);
      this.wasAt = left.at;
    }
    addEventListener("beforeunload", (event) => {
      if (!this.held.size) return;
      if (session.isOver) this.leave();
      else event.preventDefault();
    });
  }

  of = (line) => this.held.get(line);
  lines = () => [...this.held.keys()].sort((one, other) => one - other);
  set = (line, draft) => void this.held.set(line, draft);
  delete = (line) => void this.held.delete(line);

  /** Text that a line holds anyway is none. */
  type(line, text, before) {
    if (text === before && !this.of(line)?.said) this.delete(line);
    else this.set(line, { ...this.of(line), text, before });
  }

  leave() {
    const held = [...this.held].map(([line, { text, before }]) => [line, { text, before }]);
    const { place } = this;
    sessionStorage.setItem(NAME, JSON.stringify({ owner, place, at: this.at(), held }));
  }
}
