// The frame's behaviour: toasts, failed requests, live fragments, keys, theme.
(() => {
  "use strict";

  const find = (selector, root = document) => root.querySelector(selector);
  const findAll = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Toasts and problems

  const TOAST_MILLISECONDS = 7000;

  function dismissLater(toast) {
    setTimeout(() => toast.remove(), TOAST_MILLISECONDS);
  }

  function showToast(text) {
    const toast = find("#toast-pattern").content.firstElementChild.cloneNode(true);
    find("[data-text]", toast).textContent = text;
    find("#toasts").append(toast);
    dismissLater(toast);
  }

  function showProblem(text, { passes = false } = {}) {
    const problem = find("#problem");
    find("[data-text]", problem).textContent = text;
    problem.dataset.passes = passes ? "yes" : "no";
    problem.hidden = false;
  }

  function clearProblem() {
    const problem = find("#problem");
    if (problem) problem.hidden = true;
  }

  function showMessages(messages) {
    for (const { level, text } of messages) {
      if (level === "error" || level === "warning") showProblem(text);
      else showToast(text);
    }
  }

  // Failed requests, in plain words

  const SENTENCES = {
    0: "The desk cannot be reached. Check your connection; nothing you typed is lost.",
    400: "The desk did not understand that. Reload the page and try again.",
    401: "You are signed out. Sign in again in another tab; what you typed here stays.",
    403: "You may not do this. If you think you should, ask an admin.",
    404: "This is no longer there. Reload the page.",
    409: "Somebody else changed this meanwhile. Reload the page to see how it stands now.",
    413: "That is too large. Shorten it and try again.",
    429: "That was tried too often. Wait a minute and try again.",
  };
  const SERVER_SENTENCE =
    "The desk could not do that because of a fault of its own. Try again; " +
    "if it happens twice, tell an admin.";

  function sentenceFor(request) {
    const said = request.getResponseHeader && request.getResponseHeader("X-Desk-Problem");
    if (said) return decodeURIComponent(said);
    return SENTENCES[request.status] || SERVER_SENTENCE;
  }

  const isLive = (element) => element.matches("[data-live]");

  // Signing in again in another tab changes the token, and this page must still be able to send.
  function csrfToken() {
    const cookie = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
    return cookie ? cookie[1] : find("meta[name=csrf-token]").content;
  }

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.verb === "get") return;
    event.detail.headers["X-CSRFToken"] = csrfToken();
    if ("csrfmiddlewaretoken" in event.detail.parameters) {
      event.detail.parameters.csrfmiddlewaretoken = csrfToken();
    }
  });
  document.addEventListener("htmx:responseError", (event) => {
    showProblem(sentenceFor(event.detail.xhr), { passes: isLive(event.detail.elt) });
  });
  for (const failure of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failure, (event) => {
      showProblem(SENTENCES[0], { passes: isLive(event.detail.elt) });
    });
  }
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.successful) return;
    const passing = find("#problem").dataset.passes === "yes";
    if (passing || !isLive(event.detail.elt)) clearProblem();
  });
  document.addEventListener("desk:messages", (event) => showMessages(event.detail.value));

  // Live fragments: quiet while nobody looks, and never over somebody's typing

  const TYPING = "input:not([type=hidden]), textarea, select, [contenteditable=true]";
  const OPEN = "details[open], .dropdown-menu.show, dialog[open]";

  function isInUse(fragment) {
    const focused = document.activeElement;
    if (focused && fragment.contains(focused) && focused.matches(TYPING)) return true;
    return findAll("form[data-touched]", fragment).length > 0 || find(OPEN, fragment) !== null;
  }

  document.addEventListener("input", (event) => {
    const form = event.target.closest("[data-live] form");
    if (form) form.dataset.touched = "";
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const fragment = event.detail.elt;
    if (isLive(fragment) && (document.hidden || isInUse(fragment))) event.preventDefault();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const fragment = event.detail.requestConfig.elt;
    if (isLive(fragment) && isInUse(fragment)) event.detail.shouldSwap = false;
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    for (const fragment of findAll("[data-live]")) htmx.trigger(fragment, "live");
  });

  // Keys: any link or button may carry data-key

  const KEYS_OFF = "desk-keys-off";

  function keysAreOn() {
    try {
      return localStorage.getItem(KEYS_OFF) === null;
    } catch {
      return true;
    }
  }

  function switchKeys(on) {
    try {
      if (on) localStorage.removeItem(KEYS_OFF);
      else localStorage.setItem(KEYS_OFF, "yes");
    } catch {
      // Without storage the keys stay on.
    }
  }

  const isVisible = (element) => element.getClientRects().length > 0;

  function listKeys() {
    const list = find("#keys-list");
    const pattern = find("#key-pattern");
    const seen = new Set();
    list.replaceChildren();
    for (const element of findAll("[data-key]")) {
      if (seen.has(element.dataset.key)) continue;
      seen.add(element.dataset.key);
      const row = pattern.content.cloneNode(true);
      find("kbd", row).textContent = element.dataset.key;
      find("dd", row).textContent = element.dataset.keyLabel || element.textContent.trim();
      list.append(row);
    }
  }

  function showKeys() {
    const dialog = find("#keys");
    if (!dialog || dialog.open) return;
    listKeys();
    find("#keys-on").checked = keysAreOn();
    dialog.showModal();
  }

  function goToSearch() {
    const search = findAll("[data-client-search]").find(isVisible);
    if (search) {
      search.focus();
      search.select();
      return;
    }
    const filing = find("[data-key=n]");
    if (filing) filing.click();
  }

  function press(key) {
    const target = findAll("[data-key]").find(
      (element) => element.dataset.key === key && isVisible(element),
    ) || find(`[data-key="${CSS.escape(key)}"]`);
    if (!target) return false;
    target.focus();
    target.click();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.matches(TYPING) || find("dialog[open], .modal.show")) return;
    if (event.key !== "?" && !keysAreOn()) return;
    if (event.key === "?") showKeys();
    else if (event.key === "/") goToSearch();
    else if (event.key.length !== 1 || !press(event.key)) return;
    event.preventDefault();
  });

  // Theme, dialogs, copying

  function markTheme() {
    for (const button of findAll("[data-theme-choice]")) {
      const pressed = button.dataset.themeChoice === window.deskTheme.chosen();
      button.setAttribute("aria-pressed", String(pressed));
    }
  }

  function copy(button) {
    navigator.clipboard.writeText(button.dataset.copy).then(
      () => showToast("Copied."),
      () => showProblem("The browser did not allow copying. Select the text and copy it."),
    );
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button, a");
    if (!button) return;
    if (button.dataset.themeChoice) {
      window.deskTheme.choose(button.dataset.themeChoice);
      markTheme();
    }
    if (button.matches("[data-show-keys]")) showKeys();
    if (button.matches("[data-close-dialog]")) button.closest("dialog").close();
    if (button.matches("[data-dismiss]")) button.closest("[data-dismissible]").remove();
    if (button.matches("[data-clear-problem]")) clearProblem();
    if (button.dataset.copy) copy(button);
    if (button.matches("[data-print]")) window.print();
  });

  // A form that is sent twice by an impatient click is sent once.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || form.matches("[hx-post], [data-hx-post]")) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    const token = find("[name=csrfmiddlewaretoken]", form);
    if (token) token.value = csrfToken();
  });
  window.addEventListener("pageshow", () => {
    for (const form of findAll("form[data-sent]")) delete form.dataset.sent;
  });

  document.addEventListener("change", (event) => {
    if (event.target.id === "keys-on") switchKeys(event.target.checked);
  });

  document.addEventListener("DOMContentLoaded", () => {
    findAll("#toasts [data-dismissible]").forEach(dismissLater);
    markTheme();
    find("[aria-invalid=true]")?.focus();
  });
})();
