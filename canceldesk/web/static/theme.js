// Loaded before the page is drawn, so that a dark page never flashes white.
(() => {
  "use strict";
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return localStorage.getItem("desk-theme") || "auto";
    } catch {
      return "auto";
    }
  }

  function show() {
    const theme = chosen();
    const dark = theme === "dark" || (theme === "auto" && system.matches);
    document.documentElement.dataset.bsTheme = dark ? "dark" : "light";
  }

  function choose(theme) {
    try {
      localStorage.setItem("desk-theme", theme);
    } catch {
      // Without storage the choice lasts for this page only.
    }
    show();
  }

  system.addEventListener("change", show);
  window.deskTheme = { chosen, choose };
  show();
})();
