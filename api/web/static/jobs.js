// The list of jobs: one box chooses all of the page.

document.getElementById("list").addEventListener("change", (event) => {
  const boxes = [...document.querySelectorAll("input[name=job]")];
  const all = document.getElementById("choose-all");
  if (event.target === all) boxes.forEach((box) => (box.checked = all.checked));
  else if (event.target.name === "job") all.checked = boxes.every((box) => box.checked);
});
