// Light or dark: as the system says, or as was chosen.

const CHOICE = "ocrelay-theme";

export const THEMES = ["auto", "light", "dark"];
export const theme = () => localStorage.getItem(CHOICE) ?? "auto";

export function applyTheme() {
  document.documentElement.dataset.theme = theme();
}

export function chooseTheme(name) {
  localStorage.setItem(CHOICE, name);
  applyTheme();
}
