// The list of jobs: one box chooses all of the page, and there are no orders while nothing is chosen.

const list = document.getElementById("list");
const boxes = () => [...list.querySelectorAll("input[name=job]")];

function offer() {
  const isAny = boxes().some((box) => box.checked);
  for (const button of list.querySelectorAll("button[name=order]")) button.disabled = !isAny;
}

list.addEventListener("change", (event) => {
  const all = document.getElementById("choose-all");
  if (event.target === all) boxes().forEach((box) => (box.checked = all.checked));
  else if (event.target.name === "job") all.checked = boxes().every((box) => box.checked);
  offer();
});
document.addEventListener("htmx:after:swap", offer);
addEventListener("pageshow", offer); // a browser that goes back keeps what was chosen
offer();
