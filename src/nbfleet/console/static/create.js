// Tabs of code: which one is shown outlives the code, which follows the form.
"use strict";
{
  let chosen = "";

  function show(tab) {
    for (const other of tab.parentElement.querySelectorAll('[role="tab"]')) {
      const is = other === tab;
      other.setAttribute("aria-selected", String(is));
      other.tabIndex = is ? 0 : -1;
      document.getElementById(other.getAttribute("aria-controls")).hidden = !is;
    }
    chosen = tab.id;
  }

  document.addEventListener("click", (event) => {
    const tab = event.target.closest('[role="tab"]');
    if (tab) show(tab);
  });

  document.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const tab = event.target.closest?.('[role="tab"]');
    if (!step || !tab) return;
    const all = [...tab.parentElement.querySelectorAll('[role="tab"]')];
    const next = all[(all.indexOf(tab) + step + all.length) % all.length];
    show(next);
    next.focus();
  });

  document.addEventListener("htmx:load", () => {
    const tab = chosen && document.getElementById(chosen);
    if (tab) show(tab);
  });
}
