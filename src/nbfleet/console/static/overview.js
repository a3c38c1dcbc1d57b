// What somebody stands on or has opened is not taken away from them: that part waits for its next turn.
"use strict";

document.addEventListener("htmx:beforeSwap", (event) => {
  const target = event.detail.target;
  const own = event.detail.requestConfig?.triggeringEvent?.type === "submit";
  if (own || !target?.classList.contains("part")) return;
  const held = document.activeElement;
  if ((held !== target && target.contains(held)) || target.querySelector("details[open]")) event.detail.shouldSwap = false;
});
