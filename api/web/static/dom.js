// Elements are made here and nowhere else: text goes in as text, so no file name or recognised line can become HTML.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element. Names that begin with "on" are listeners, booleans switch attributes. */
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child != null));
  return node;
}

/** Tell people who hear the page what others see. */
export function say(text) {
  document.getElementById("said").textContent = text;
}

/** Put content where the page has its own. */
export function show(...content) {
  document.getElementById("main").replaceChildren(...content.flat().filter((child) => child != null));
}
