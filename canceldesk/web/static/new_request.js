// New request by keyboard: type, Enter, number key, Enter.
(() => {
  "use strict";

  const search = document.querySelector("#client-search");
  const found = document.querySelector("#client-found");
  const request = document.querySelector("#request");
  const count = document.querySelector("#client-count");
  const advice = count.textContent;
  let wantsPick = false;

  const options = () => [...found.querySelectorAll("[role=option]")];
  const active = () => found.querySelector("[role=option][aria-selected=true]");
  const list = () => found.querySelector("[role=listbox]");

  // The combobox

  function activate(option) {
    for (const each of options()) each.setAttribute("aria-selected", String(each === option));
    if (option) {
      search.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else {
      search.removeAttribute("aria-activedescendant");
    }
  }

  function close() {
    found.replaceChildren();
    count.textContent = advice;
    search.setAttribute("aria-expanded", "false");
    activate(null);
  }

  function pick(option) {
    wantsPick = false;
    search.value = option.dataset.name;
    const url = option.dataset.url;
    close();
    request.replaceChildren(document.querySelector("#request-waiting").content.cloneNode(true));
    htmx.ajax("GET", url, { target: "#request", swap: "innerHTML" });
  }

  // What is shown answers what is typed now, not what was typed a moment ago.
  const isCurrent = () => list() !== null && list().dataset.query === search.value;

  function move(by) {
    const all = options();
    if (all.length === 0) return;
    const place = all.indexOf(active());
    activate(all[(place + by + all.length) % all.length]);
  }

  search.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else if (event.key === "Escape" && list()) close();
    else if (event.key === "Enter" && isCurrent() && active()) pick(active());
    else if (event.key === "Enter") wantsPick = true;
    else return;
    event.preventDefault();
  });
  search.addEventListener("input", () => {
    wantsPick = false;
    if (search.value.trim() === "") close();
  });
  found.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) pick(option);
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target === found) showFound();
    if (event.detail.target === request) startRequest();
  });

  // What was typed before this script was there is searched as well.
  if (search.value.trim() !== "" && request.childElementCount === 0) {
    const url = search.getAttribute("hx-get");
    htmx.ajax("GET", url, { target: "#client-found", values: { q: search.value } });
  }

  function showFound() {
    const all = options();
    search.setAttribute("aria-expanded", String(all.length > 0));
    activate(all[0] || null);
    // Enter came before the answer: a single client is picked, of several the person chooses.
    if (wantsPick && isCurrent() && all.length === 1) pick(all[0]);
    wantsPick = false;
  }

  // The form

  const isText = (element) =>
    element.matches("textarea, select, input:not([type=radio], [type=checkbox])");

  function startRequest() {
    const form = document.querySelector("#request-form");
    if (!form) return;
    const wrong = form.querySelector("[data-wrong] input, [aria-invalid=true]");
    const boxes = [...form.querySelectorAll("[name=subscriptions]:enabled")];
    const open = boxes.length > 0 && !boxes.some((box) => box.checked) ? boxes[0] : null;
    const reason = form.querySelector("[name=reason]:checked") || form.querySelector("[name=reason]");
    const first = wrong || open || reason;
    if (first) first.focus({ preventScroll: !wrong });
  }

  document.addEventListener("keydown", (event) => {
    const form = event.target.closest && event.target.closest("#request-form");
    if (!form) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isText(event.target)) return;
    const reason = form.querySelector(`[data-digit="${CSS.escape(event.key)}"]`);
    if (!reason) return;
    event.preventDefault();
    reason.checked = true;
    reason.focus();
  });

  // When the picked client's panel could not be loaded, the page must not wait for ever.
  for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failure, (event) => {
      if (event.detail.target === request) request.replaceChildren();
    });
  }

  startRequest();
})();
