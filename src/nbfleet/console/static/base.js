// What every page does: times in the zone of the reader, menus, copying, and how the page looks.
"use strict";

const language = document.documentElement.lang;
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
const exact = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
const UNITS = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000], ["second", 1000]];

// The service's clock may differ from the reader's: what counts down follows the service's.
function ago(moment, now) {
  const distance = moment - now;
  const [unit, size] = UNITS.find(([, length]) => Math.abs(distance) >= length) ?? UNITS.at(-1);
  return relative.format(Math.trunc(distance / size), unit);
}

function tellTime(element) {
  const moment = Date.parse(element.dateTime);
  if (Number.isNaN(moment)) return;
  element.title = exact.format(moment);
  const text = element.dataset.form === "exact" ? exact.format(moment) : ago(moment, Date.now());
  if (element.textContent !== text) element.textContent = text;
}

function tellTimes(root) {
  for (const element of root.querySelectorAll("time[datetime]")) tellTime(element);
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  await navigator.clipboard.writeText(source.value ?? source.textContent);
  const before = button.textContent;
  button.textContent = button.dataset.done;
  setTimeout(() => { button.textContent = before; }, 1500);
}

async function changeTheme(button) {
  document.documentElement.dataset.theme = button.value;
  for (const other of button.form.elements) {
    if (other.name === "theme") other.setAttribute("aria-pressed", String(other === button));
  }
  await fetch("/look", { method: "POST", body: new URLSearchParams({ theme: button.value }), redirect: "manual" });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.copy) copy(button);
  if (button?.hasAttribute("data-close")) {
    button.parentElement.remove();
    document.getElementById("main").focus({ preventScroll: true });
  }
  if (button?.name === "theme") {
    event.preventDefault();
    changeTheme(button);
  }
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const asked = event.target.closest("details.confirm[open]");
  for (const open of [...document.querySelectorAll("details.menu[open]"), asked]) {
    if (!open) continue;
    open.open = false;
    open.querySelector("summary").focus();
  }
});

document.addEventListener("submit", (event) => {
  const here = event.target.querySelector("[data-here]");
  if (here) here.value = location.pathname + location.search;
});

// What had the focus may be off while it is asked for, or be replaced. One goes on from it, from what has its id
// or, where that is gone, from the nearest place around it that is still there.
const stoodOn = new WeakMap();

function around(element) {
  const ids = [];
  for (let one = element; one; one = one.parentElement) if (one.id) ids.push(one.id);
  return ids;
}

function takesFocus(element) {
  return element?.isConnected && !element.disabled && element.getClientRects().length > 0;
}

function goOnFrom(place) {
  if (place.tabIndex < 0) place.tabIndex = -1;
  place.focus({ preventScroll: true });
}

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  const one = document.activeElement;
  if (detail.elt.contains(one) || detail.target?.contains(one)) stoodOn.set(detail.xhr, [one, around(one)]);
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const [one, ids] = stoodOn.get(detail.xhr) ?? [];
  const held = document.activeElement;
  if (!one || (held !== document.body && takesFocus(held))) return;
  const place = [one, ...ids.map((id) => document.getElementById(id))].find(takesFocus);
  if (place) goOnFrom(place);
});

document.addEventListener("htmx:load", (event) => tellTimes(event.target.parentElement ?? event.target));
// Where the pages stand in one line that is longer than the screen, the one that is shown is in sight.
document.querySelector(".side [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
tellTimes(document);
setInterval(() => tellTimes(document), 10_000);
