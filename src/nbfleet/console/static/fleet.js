// The list of notebooks: selection, times in filters, and rows that stay true while the page is looked at.
"use strict";

const MOST_WATCHED = 200;
const narrow = matchMedia("(max-width: 50rem)");
let source = null;

// Rows. One that is replaced keeps its tick and the focus.

function rowOf(id) {
  return document.getElementById(`row-${id}`);
}

function replaceRow(old, html) {
  const made = document.createElement("template");
  made.innerHTML = html.trim();
  const row = made.content.firstElementChild;
  if (!old || row.dataset.mark === old.dataset.mark) return;
  const box = old.querySelector("[name=id]");
  row.querySelector("[name=id]").checked = box.checked;
  const part = old.contains(document.activeElement) ? document.activeElement.dataset.part : null;
  row.classList.add("fresh");
  old.replaceWith(row);
  htmx.process(row);
  tellTimes(row);
  if (part) (row.querySelector(`[data-part="${CSS.escape(part)}"]`) ?? row.querySelector("[name=id]")).focus();
}

function gone(id) {
  const row = rowOf(id);
  if (!row) return;
  row.classList.add("gone");
  const box = row.querySelector("[name=id]");
  box.checked = false;
  box.disabled = true;
  row.querySelector(".act").replaceChildren();
  showSelection();
}

function tellChanged({ text, total }) {
  const note = document.getElementById("changed");
  if (!note) return;
  document.getElementById("fleet").dataset.total = total;
  note.firstElementChild.textContent = text;
  note.hidden = false;
}

// Those that the table has: others may be chosen by now, in another tab.
function columnsOf(table) {
  return table.dataset.columns.split(".").map((name) => ["columns", name]);
}

function listen() {
  source?.close();
  source = null;
  const table = document.getElementById("fleet");
  if (!table || document.hidden) return;
  const watched = [...table.querySelectorAll("[name=id]")].slice(0, MOST_WATCHED);
  const ids = watched.map((box) => box.value).join(",");
  const { view, total } = table.dataset;
  const query = new URLSearchParams([["ids", ids], ["view", view], ["total", total], ...columnsOf(table)]);
  source = new EventSource(`${table.dataset.live}?${query}`);
  // What was asked for a table that is gone may still come in, and the new one may have other columns.
  const hear = (kind, tell) => source.addEventListener(kind, (event) => {
    if (table.isConnected) tell(JSON.parse(event.data));
  });
  hear("row", ({ id, html }) => replaceRow(rowOf(id), html));
  hear("gone", ({ id }) => gone(id));
  hear("total", tellChanged);
}

document.addEventListener("visibilitychange", listen);
addEventListener("pagehide", () => source?.close());

// The row that a button in it changed comes back as the answer.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.elt.dataset.part !== "act") return;
  detail.path += `?${new URLSearchParams(columnsOf(detail.elt.closest("table")))}`;
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { requestConfig, xhr } = event.detail;
  if (requestConfig.elt.dataset.part !== "act" || xhr.getResponseHeader("HX-Retarget")) return;
  event.detail.shouldSwap = false;
  // By its id: it may have been replaced meanwhile.
  replaceRow(document.getElementById(requestConfig.elt.closest("tr").id), xhr.responseText);
});

// Selection.

function boxes() {
  return [...document.querySelectorAll("#fleet tbody [name=id]:enabled")];
}

function showSelection() {
  const bar = document.getElementById("bulk");
  if (!bar) return;
  const all = boxes(), ticked = all.filter((box) => box.checked).length;
  const page = document.getElementById("select-page"), word = document.getElementById("selected");
  const every = document.getElementById("all-matching"), total = Number(every.dataset.total);
  if (ticked < all.length) bar.elements.every.disabled = true;
  const whole = !bar.elements.every.disabled;
  page.checked = ticked > 0 && ticked === all.length;
  page.indeterminate = ticked > 0 && ticked < all.length;
  bar.hidden = ticked === 0;
  every.hidden = whole || !page.checked || total <= all.length;
  word.textContent = whole ? word.dataset.all : word.dataset.some.replace("{number}", ticked);
}

function tickAll(checked) {
  for (const box of boxes()) box.checked = checked;
  if (!checked) document.getElementById("bulk").elements.every.disabled = true;
  showSelection();
}

// Buttons that are gone once they are pressed leave the focus where one goes on.
function selectNone() {
  tickAll(false);
  document.getElementById("select-page").focus({ preventScroll: true });
}

function selectEvery() {
  document.getElementById("bulk").elements.every.disabled = false;
  showSelection();
  document.getElementById("select-none").focus({ preventScroll: true });
}

document.addEventListener("change", (event) => {
  if (event.target.id === "select-page") tickAll(event.target.checked);
  else if (event.target.closest("#fleet")) showSelection();
});

document.addEventListener("click", (event) => {
  if (event.target.id === "select-none") selectNone();
  if (event.target.id === "all-matching") selectEvery();
});

// The query under which they were selected always goes along: it says what may still be changed by then. Only
// where it stands for all that it finds, none is named.
document.addEventListener("formdata", (event) => {
  // Its `id` would be the field of that name.
  if (event.target.matches("#bulk") && event.formData.has("every")) event.formData.delete("id");
});

// Times in filters: typed in the zone of the reader, sent as milliseconds since 1970.

function millisOf(control) {
  return document.querySelector(`#filters [name="${control.dataset.millis}"]`);
}

document.addEventListener("input", (event) => {
  if (!event.target.dataset?.millis) return;
  const moment = new Date(event.target.value).getTime();
  millisOf(event.target).value = Number.isNaN(moment) ? "" : moment;
}, true);

for (const control of document.querySelectorAll("[data-millis]")) {
  const value = Number(millisOf(control).value);
  if (!value) continue;
  const local = new Date(value - new Date(value).getTimezoneOffset() * 60_000);
  control.value = local.toISOString().slice(0, 16);
}

// What is chosen is complete at once, unlike what is typed.
document.getElementById("filters").addEventListener("input", (event) => {
  if (!event.target.matches("select, [type=checkbox]")) return;
  event.stopImmediatePropagation();
  htmx.trigger("#filters", "chosen");
}, true);

function fold() {
  for (const fields of document.querySelectorAll("details.fields")) fields.open = !narrow.matches;
}

// A search that a newer one replaces is given up on purpose; htmx would call that an error.
document.addEventListener("htmx:beforeSend", ({ detail }) => {
  const giveUp = detail.xhr.onabort;
  detail.xhr.onabort = () => {
    detail.error = "";
    giveUp();
  };
});

// A new list was put in its place.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target.id !== "results") return;
  showSelection();
  listen();
});

narrow.addEventListener("change", fold);
fold();
showSelection();
listen();
