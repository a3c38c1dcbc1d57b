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
  if (button?.hasAttribute("data-close")) button.parentElement.remove();
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
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

document.addEventListener("submit", (event) => {
  const here = event.target.querySelector("[data-here]");
  if (here) here.value = location.pathname + location.search;
});

document.addEventListener("htmx:load", (event) => tellTimes(event.target.parentElement ?? event.target));
tellTimes(document);
setInterval(() => tellTimes(document), 10_000);
