// The case page keeps itself up to date part by part, never over what somebody is doing there.
(() => {
  "use strict";

  const TYPING = "input:not([type=hidden]), textarea, select";

  document.addEventListener("input", (event) => {
    const form = event.target.closest(".case-part form");
    if (form) form.dataset.touched = "";
  });

  function isInUse(part) {
    const focused = document.activeElement;
    const isTypedIn = focused && part.contains(focused) && focused.matches(TYPING);
    return isTypedIn || part.querySelector("form[data-touched]") !== null;
  }

  function keepOpen(part, fresh) {
    for (const details of part.querySelectorAll("details[open][id]")) {
      const same = fresh.querySelector(`#${CSS.escape(details.id)}`);
      if (same) same.open = true;
    }
  }

  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const part = event.detail.target;
    const fresh = event.detail.fragment.querySelector(`#${CSS.escape(part.id)}`);
    if (!fresh) return;
    const isSame = part.dataset.shows !== undefined && part.dataset.shows === fresh.dataset.shows;
    if (isSame || isInUse(part)) {
      event.detail.shouldSwap = false;
      const stale = isSame ? null : part.querySelector("[data-stale]");
      if (stale) stale.hidden = false;
      return;
    }
    keepOpen(part, fresh);
  });
})();
