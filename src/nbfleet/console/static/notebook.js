// The page of one notebook: puts what the stream brings in its place, and follows the log while it is open.
"use strict";
{
  const LOG_PAUSE = 2000;
  const page = document.getElementById("notebook");
  let source = null, isGone = false;

  // What is chosen or typed in a part outlives the part, and so does the focus.
  function replaced(part) {
    const place = document.getElementById(part.id);
    if (!place || place.dataset.version === part.version) return;
    const kept = [...place.querySelectorAll("select[id], input[id]")].map((field) => [field.id, field.value]);
    const focused = place.contains(document.activeElement) ? document.activeElement.id : null;
    place.innerHTML = part.html;
    place.dataset.version = part.version;
    for (const [id, value] of kept) {
      const field = document.getElementById(id);
      if (field) field.value = value;
    }
    htmx.process(place);
    tellTimes(place);
    if (focused !== null) goOnFrom([document.getElementById(focused), place].find(takesFocus));
  }

  // Rows come newest first; those that are shown already stay where they are.
  function added(rows) {
    const list = document.getElementById("rows");
    const template = document.createElement("template");
    template.innerHTML = rows.html;
    for (const row of [...template.content.querySelectorAll("li")].reverse()) {
      if (document.getElementById(row.id)) continue;
      row.classList.add("fresh");
      list.prepend(row);
    }
    tellTimes(list);
  }

  // A browser holds six connections to one host, so a page that nobody sees gives its own back. What it missed
  // comes as soon as it is shown again.
  function follow() {
    source?.close();
    source = null;
    if (isGone || document.hidden) return;
    source = new EventSource(page.dataset.stream);
    source.addEventListener("part", (event) => replaced(JSON.parse(event.data)));
    source.addEventListener("rows", (event) => added(JSON.parse(event.data)));
    source.addEventListener("gone", (event) => {
      isGone = true;
      source.close();
      page.innerHTML = JSON.parse(event.data).html;
      goOnFrom(page);
    });
  }

  async function readLog(log) {
    const answer = await fetch(log.dataset.from, { headers: { "HX-Request": "true" } });
    const text = await answer.text();
    const shown = log.querySelector("pre");
    const wanted = text || log.dataset.empty;
    if (shown.textContent === wanted) return;
    const atEnd = shown.scrollTop + shown.clientHeight >= shown.scrollHeight - 8;
    shown.textContent = wanted;
    if (atEnd) shown.scrollTop = shown.scrollHeight;
  }

  if (page) {
    document.addEventListener("visibilitychange", follow);
    addEventListener("pagehide", () => source?.close());
    follow();
    const log = document.getElementById("log");
    log?.addEventListener("toggle", () => { if (log.open) readLog(log); });
    setInterval(() => {
      const runs = document.querySelector('[data-status="RUNNING"], [data-status$="ING"]');
      if (log?.isConnected && log.open && runs && !document.hidden) readLog(log).catch(() => {});
    }, LOG_PAUSE);
  }
}
