// The list of jobs: filters and place are in the address, so that a reload and the way back lose nothing.

import { call, json } from "./api.js";
import { el, say, show } from "./dom.js";
import { t, time, told } from "./words.js";

const STATES = ["queued", "running", "succeeded", "failed", "cancelled"];
const PAGE = 50;
const ORDERS = {
  retry: { states: ["failed", "cancelled"], send: (id) => call(`/v1/jobs/${id}/retry`, { method: "POST" }) },
  cancel_job: { states: ["queued", "running"], send: (id) => call(`/v1/jobs/${id}/cancel`, { method: "POST" }) },
  delete: { states: STATES, send: (id) => call(`/v1/jobs/${id}`, { method: "DELETE" }), isFinal: true },
};

export async function start() {
  document.title = `${t("jobs")} · ocrelay`;
  const list = new List();
  addEventListener("popstate", () => list.load());
  await list.load();
}

class List {
  constructor() {
    this.body = el("tbody");
    this.problem = el("p", { class: "error", role: "alert" });
    this.state = el("select", { id: "state" }, el("option", { value: "" }, t("any_state")), STATES.map((name) => el("option", { value: name }, t(name))));
    this.reference = el("input", { type: "search", id: "reference", maxlength: "200" });
    this.older = el("button", { type: "button", onclick: () => this.go({ cursor: this.next }) }, t("older"));
    this.newest = el("button", { type: "button", onclick: () => this.go({ cursor: "" }) }, t("newest"));
    this.all = el("input", { type: "checkbox", "aria-label": t("choose_all"), onchange: (event) => this.chooseAll(event.target.checked) });
    this.orders = Object.keys(ORDERS).map((name) => el("button", { type: "button", "data-order": name, onclick: () => this.order(name) }, t(name)));
    const heads = ["name", "state", "sent_at", "notes"].map((name) => el("th", { scope: "col" }, t(name)));
    const filter = (event) => {
      event.preventDefault();
      this.go({ state: this.state.value, reference: this.reference.value, cursor: "" });
    };
    this.form = el("form", { class: "filters", role: "search", onsubmit: filter },
      el("label", { for: "state" }, t("state")), this.state, el("label", { for: "reference" }, t("reference")), this.reference,
      el("button", { class: "main" }, t("filter")));
    this.state.addEventListener("change", () => this.form.requestSubmit());
    show(el("h1", { id: "jobs-title" }, t("jobs")), this.form, el("div", { class: "buttons" }, this.orders), this.problem,
      el("table", { class: "jobs", "aria-labelledby": "jobs-title" }, el("thead", {}, el("tr", {}, el("td", {}, this.all), heads)), this.body),
      el("nav", { class: "buttons", "aria-label": t("pages") }, this.newest, this.older));
  }

  go(changes) {
    const address = new URL(location.href);
    for (const [name, value] of Object.entries(changes)) value ? address.searchParams.set(name, value) : address.searchParams.delete(name);
    history.pushState(null, "", address);
    return this.load();
  }

  async load() {
    const wanted = new URL(location.href).searchParams;
    const query = new URLSearchParams({ limit: PAGE });
    for (const name of ["state", "reference", "batch_id", "cursor"]) if (wanted.get(name)) query.set(name, wanted.get(name));
    this.state.value = wanted.get("state") ?? "";
    this.reference.value = wanted.get("reference") ?? "";
    this.problem.textContent = "";
    try {
      const { jobs, next_cursor: next } = await json(`/v1/jobs?${query}`);
      this.fill(jobs, next, wanted.get("cursor"));
    } catch (problem) {
      this.problem.textContent = problem.message;
    }
  }

  fill(jobs, next, cursor) {
    this.next = next;
    this.older.disabled = !next;
    this.newest.disabled = !cursor;
    this.rows = jobs.map((job) => this.row(job));
    this.body.replaceChildren(...this.rows.map((row) => row.element));
    if (!jobs.length) this.body.append(el("tr", {}, el("td", { colspan: "5" }, t("no_jobs"))));
    this.all.checked = false;
    this.offer();
    say(t("jobs_shown", { count: jobs.length }));
  }

  row(job) {
    const name = job.reference || job.id;
    const box = el("input", { type: "checkbox", "aria-label": t("choose_one", { name }), onchange: () => this.offer() });
    const note = job.error ? el("p", { class: "warning" }, told(job.error.code, job.error.message)) : null;
    const element = el("tr", { "data-state": job.state }, el("td", {}, box), el("th", { scope: "row", class: "name" }, el("a", { href: `/read/${job.id}` }, name)),
      el("td", {}, el("span", { class: `state ${job.state}` }, t(job.state))), el("td", {}, time(job.created_at)), el("td", {}, note));
    return { job, box, element };
  }

  chosen(name) {
    return this.rows.filter(({ box, job }) => box.checked && ORDERS[name].states.includes(job.state));
  }

  chooseAll(isChosen) {
    for (const { box } of this.rows) box.checked = isChosen;
    this.offer();
  }

  /** Only what would do something can be pressed. */
  offer() {
    for (const button of this.orders) {
      const count = this.chosen(button.dataset.order).length;
      button.disabled = !count;
      button.textContent = count ? `${t(button.dataset.order)} (${count})` : t(button.dataset.order);
    }
  }

  async order(name) {
    const rows = this.chosen(name);
    if (ORDERS[name].isFinal && !confirm(t("really_delete", { count: rows.length }))) return;
    const failures = [];
    for (const { job } of rows) await ORDERS[name].send(job.id).catch((problem) => failures.push(`${job.reference || job.id}: ${problem.message}`));
    await this.load();
    this.problem.textContent = failures.join("\n");
  }
}
