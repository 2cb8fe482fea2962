// A page's image with the polygons of its lines; zoomed and moved by one transform, so it stays smooth on large scans.

import { call } from "./api.js";
import { el, svg } from "./dom.js";
import { t } from "./words.js";

const NARROW = 1600;
const WIDE = 5000;
const MOST_ZOOM = 20;
const STEP = 1.3;
const KEYS = { "+": STEP, "=": STEP, "-": 1 / STEP };

export class Viewer {
  /** chosen(line) is called when a polygon is clicked, hovered(line or null) when the pointer is over one. */
  constructor(job, chosen, hovered) {
    Object.assign(this, { job, chosen, hovered, zoom: 1, x: 0, y: 0, shapes: new Map(), fingers: new Map(), width: 0 });
    this.image = el("img", { alt: "", draggable: "false" });
    this.shapesLayer = svg("svg", { "aria-hidden": "true" });
    this.sheet = el("div", { class: "sheet" }, this.image, this.shapesLayer);
    this.window = el("div", { class: "window", tabindex: "0", role: "group", "aria-label": t("image_help") }, this.sheet);
    const tool = (text, label, act) => el("button", { type: "button", "aria-label": label, title: label, onclick: act }, text);
    this.element = el("section", { class: "viewer", "aria-label": t("image") },
      el("div", { class: "tools" },
        tool("+", t("zoom_in"), () => this.zoomBy(STEP)), tool("−", t("zoom_out"), () => this.zoomBy(1 / STEP)),
        tool("⤢", t("fit"), () => this.fit()),
        el("label", {}, el("input", { type: "checkbox", checked: true, onchange: (e) => this.window.classList.toggle("bare", !e.target.checked) }), t("boxes"))),
      this.window);
    this.listen();
  }

  async show(page) {
    this.page = page;
    this.width = 0;
    this.shapes.clear();
    this.shapesLayer.setAttribute("viewBox", `0 0 ${page.width} ${page.height}`);
    this.sheet.style.aspectRatio = `${page.width} / ${page.height}`;
    this.image.alt = t("image_of", { page: page.page_number });
    this.shapesLayer.replaceChildren(...page.lines.map((line) => this.shape(line)));
    this.fit();
    await this.load(NARROW);
  }

  shape(line) {
    const shape = svg("polygon", { points: line.polygon.map((point) => point.join(",")).join(" "), class: line.isDoubtful ? "doubtful" : null });
    shape.addEventListener("click", () => this.moved || this.chosen(line));
    shape.addEventListener("pointerenter", () => this.hovered(line));
    shape.addEventListener("pointerleave", () => this.hovered(null));
    this.shapes.set(line, shape);
    return shape;
  }

  settle(line) {
    this.shapes.get(line)?.classList.remove("doubtful");
  }

  mark(name, line) {
    for (const shape of this.shapesLayer.querySelectorAll(`.${name}`)) shape.classList.remove(name);
    this.shapes.get(line)?.classList.add(name);
  }

  async load(width) {
    if (this.width >= Math.min(width, this.page.width)) return;
    this.width = width;
    const page = this.page;
    const response = await call(`/v1/jobs/${this.job.id}/pages/${page.page_number}/image?width=${width}`, { headers: { Accept: "image/jpeg" } });
    const address = URL.createObjectURL(await response.blob());
    if (page !== this.page) return URL.revokeObjectURL(address);
    const before = this.image.src;
    this.image.src = address;
    await this.image.decode().catch(() => {});
    if (before) URL.revokeObjectURL(before);
  }

  /** The line cut out of the image, onto a canvas. */
  async cutOut(line, canvas) {
    await this.load(WIDE);
    const scale = this.image.naturalWidth / this.page.width;
    const xs = line.polygon.map(([x]) => x * scale);
    const ys = line.polygon.map(([, y]) => y * scale);
    const margin = 0.25 * (Math.max(...ys) - Math.min(...ys));
    const [left, top] = [Math.min(...xs) - margin, Math.min(...ys) - margin];
    canvas.width = Math.max(1, Math.max(...xs) + margin - left);
    canvas.height = Math.max(1, Math.max(...ys) + margin - top);
    canvas.getContext("2d").drawImage(this.image, -left, -top);
  }

  fit() {
    Object.assign(this, { zoom: 1, x: 0, y: 0 });
    this.place();
  }

  zoomBy(factor, x = this.window.clientWidth / 2, y = this.window.clientHeight / 2) {
    const zoom = Math.min(MOST_ZOOM, Math.max(0.2, this.zoom * factor));
    this.x = x - ((x - this.x) * zoom) / this.zoom;
    this.y = y - ((y - this.y) * zoom) / this.zoom;
    this.zoom = zoom;
    this.place();
    if (zoom * this.window.clientWidth * devicePixelRatio > NARROW) this.load(WIDE).catch(() => {});
  }

  place() {
    this.sheet.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.zoom})`;
  }

  listen() {
    const at = (event) => [event.clientX - this.window.getBoundingClientRect().left, event.clientY - this.window.getBoundingClientRect().top];
    this.window.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY / 400), ...at(event));
    }, { passive: false });
    this.window.addEventListener("pointerdown", (event) => {
      this.fingers.set(event.pointerId, at(event));
      this.moved = false;
    });
    addEventListener("pointermove", (event) => this.fingers.has(event.pointerId) && this.drag(event.pointerId, at(event)));
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, (event) => this.fingers.delete(event.pointerId));
    this.window.addEventListener("keydown", (event) => this.press(event));
  }

  drag(finger, [x, y]) {
    const [beforeX, beforeY] = this.fingers.get(finger);
    const other = [...this.fingers].find(([id]) => id !== finger)?.[1];
    if (other) this.zoomBy(Math.hypot(x - other[0], y - other[1]) / Math.max(1, Math.hypot(beforeX - other[0], beforeY - other[1])), ...other);
    else Object.assign(this, { x: this.x + x - beforeX, y: this.y + y - beforeY });
    this.moved ||= Math.hypot(x - beforeX, y - beforeY) > 3;
    this.fingers.set(finger, [x, y]);
    this.place();
  }

  press(event) {
    const steps = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
    if (KEYS[event.key]) this.zoomBy(KEYS[event.key]);
    else if (event.key === "0") this.fit();
    else if (steps) Object.assign(this, { x: this.x + steps[0], y: this.y + steps[1] });
    else return;
    event.preventDefault();
    this.place();
  }
}
