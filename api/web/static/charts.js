// Charts of bars, drawn of the rows that stand in the page as tables, too; drawn anew when width or colours change.

const HEIGHT = 150;
const figures = [...document.querySelectorAll("figure[data-rows]")];
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const short = (label, isTime) => (isTime ? new Intl.DateTimeFormat(document.documentElement.lang, { day: "numeric", month: "short", hour: "numeric" }).format(new Date(label)) : label);

function draw(figure) {
  const rows = JSON.parse(figure.dataset.rows);
  const plot = figure.querySelector(".plot");
  plot.replaceChildren();
  if (!plot.clientWidth) return; // folded away
  const labels = rows.map(([label]) => short(label, "time" in figure.dataset));
  if (!rows.some(([, count]) => count)) return plot.toggleAttribute("hidden", true);
  const whole = (marks) => marks.map((mark) => (Number.isInteger(mark) ? String(mark) : ""));
  const step = Math.ceil(labels.length / Math.max(1, Math.floor(plot.clientWidth / 90)));
  const lines = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  const places = labels.map((_, place) => place);
  new window.uPlot({
    width: plot.clientWidth, height: HEIGHT, legend: { show: false }, cursor: { show: false }, padding: [8, 12, 0, 0],
    scales: { x: { time: false, range: [-0.6, labels.length - 0.4] }, y: { range: (_, low, high) => [0, Math.max(1, high * 1.1)] } },
    axes: [
      { ...lines, size: 28, grid: { show: false }, splits: () => places.filter((place) => place % step === 0), values: (_, marks) => marks.map((mark) => labels[mark] ?? "") },
      { ...lines, size: 44, values: (_, marks) => whole(marks) },
    ],
    series: [{}, { fill: colour("--main"), stroke: colour("--main"), width: 0, points: { show: false }, paths: window.uPlot.paths.bars({ size: [0.7, 60] }) }],
  }, [places, rows.map(([, count]) => count)], plot);
}

const all = () => figures.forEach(draw);
let waiting = 0;
addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(all, 150);
});
const numbers = document.querySelector("details.numbers");
numbers?.addEventListener("toggle", all);
if (numbers && matchMedia("(max-width: 40rem)").matches) numbers.open = false; // the list would begin screens below
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
for (const name of ["from", "until"]) { // the charts are of this time, so the whole page comes anew
  document.getElementById(name)?.addEventListener("change", (event) => event.target.form.requestSubmit());
}
all();
