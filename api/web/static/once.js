// What is shown once can be copied by one press.

import { copy } from "./page.js";

const button = document.getElementById("copy-once");
if (button) {
  button.hidden = false;
  button.addEventListener("click", () => copy(document.getElementById("once").textContent));
}
