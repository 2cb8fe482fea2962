// A page's image with the polygons of its lines; zoomed and moved by one transform, so it stays smooth on large scans.

const WIDE = 5000;
const NARROW = 1600;
const MOVE = 60;
const frame = document.getElementById("window");
const sheet = document.getElementById("sheet");
const image = document.getElementById("image");
const shapes = document.getElementById("shapes");
const area = document.getElementById("area");
const chooser = document.getElementById("choose-area");

export const polygonOf = (line) => shapes.querySelector(`polygon[data-line="${line}"]`);

/** Left, top, right and bottom of a line, in pixels of the page. */
export function boxOf(line) {
  const points = polygonOf(line).getAttribute("points").split(" ").map((point) => point.split(",").map(Number));
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** The image in all of its pixels, or as many as are of use. */
export function sharpAddress() {
  const { image: address, width } = frame.closest("#result").dataset;
  return Number(width) > NARROW ? `${address}?width=${Math.min(WIDE, Number(width))}` : image.getAttribute("src");
}

/** chosen(line), hovered(line or null), and taken(lines of a rectangle) are called with the numbers of lines. */
export function start({ chosen, hovered, taken }) {
  const panzoom = window.Panzoom(sheet, { maxScale: 20, minScale: 0.2, canvas: true, step: 0.3, cursor: "inherit", handleStartEvent: (event) => event.preventDefault() });
  const sharpen = () => {
    if (panzoom.getScale() * frame.clientWidth * devicePixelRatio > NARROW && image.src !== new URL(sharpAddress(), location).href) image.src = sharpAddress();
  };
  let from = null;
  frame.addEventListener("wheel", (event) => panzoom.zoomWithWheel(event), { passive: false });
  sheet.addEventListener("panzoomzoom", sharpen);
  frame.addEventListener("pointerdown", (event) => (from = [event.clientX, event.clientY]), true);
  shapes.addEventListener("click", (event) => {
    const moved = from && Math.hypot(event.clientX - from[0], event.clientY - from[1]) > 4;
    if (event.target.dataset.line && !moved) chosen(event.target.dataset.line);
  });
  shapes.addEventListener("pointerover", (event) => hovered(event.target.dataset.line ?? null));
  shapes.addEventListener("pointerleave", () => hovered(null));
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => ({ in: panzoom.zoomIn, out: panzoom.zoomOut, fit: panzoom.reset })[button.dataset.zoom]({ animate: false }));
  }
  document.getElementById("boxes").addEventListener("change", (event) => frame.classList.toggle("bare", !event.target.checked));
  frame.addEventListener("keydown", (event) => press(event, panzoom));
  chooseAreas(panzoom, taken);
}

function press(event, panzoom) {
  const way = { ArrowLeft: [MOVE, 0], ArrowRight: [-MOVE, 0], ArrowUp: [0, MOVE], ArrowDown: [0, -MOVE] }[event.key];
  const scale = panzoom.getScale();
  if (way) panzoom.pan(way[0] / scale, way[1] / scale, { relative: true });
  else if ("+=".includes(event.key)) panzoom.zoomIn({ animate: false });
  else if (event.key === "-") panzoom.zoomOut({ animate: false });
  else if (event.key === "0") panzoom.reset({ animate: false });
  else return;
  event.preventDefault();
}

/** While the tool is on, dragging draws a rectangle, and the lines whose middle lies in it are taken. */
function chooseAreas(panzoom, taken) {
  let start = null;
  const set = (on) => {
    chooser.setAttribute("aria-pressed", on);
    frame.classList.toggle("choosing", on);
    panzoom.setOptions({ disablePan: on });
    area.toggleAttribute("hidden", true);
  };
  const at = (event) => {
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(shapes.getScreenCTM().inverse());
    return [place.x, place.y];
  };
  const draw = ([x, y]) => {
    const values = { x: Math.min(x, start[0]), y: Math.min(y, start[1]), width: Math.abs(x - start[0]), height: Math.abs(y - start[1]) };
    for (const [name, value] of Object.entries(values)) area.setAttribute(name, value);
    return values;
  };
  chooser.addEventListener("click", () => set(chooser.getAttribute("aria-pressed") !== "true"));
  frame.addEventListener("pointerdown", (event) => {
    if (!frame.classList.contains("choosing")) return;
    start = at(event);
    draw(start);
    area.removeAttribute("hidden");
  });
  addEventListener("pointermove", (event) => start && draw(at(event)));
  addEventListener("pointerup", (event) => {
    if (!start) return;
    const { x, y, width, height } = draw(at(event));
    start = null;
    const lines = [...shapes.querySelectorAll("polygon")].map((shape) => shape.dataset.line);
    taken(lines.filter((line) => {
      const [left, top, right, bottom] = boxOf(line);
      const [middle, centre] = [(left + right) / 2, (top + bottom) / 2];
      return x <= middle && middle <= x + width && y <= centre && centre <= y + height;
    }));
    set(false);
  });
}
