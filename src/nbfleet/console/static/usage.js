// What the notebook of the page uses: asks while it runs and the page is looked at, and draws the last minutes.
// What was answered is kept here alone and gone with the page.
"use strict";
{
  const PAUSE = 5000;
  const FIRST = 1000; // How busy it is takes two answers: the second comes soon.
  const SPAN = 300_000;
  const GAP = 2.5 * PAUSE; // So far apart, nothing is known of the time in between.
  const WIDTH = 300, HEIGHT = 48; // As the drawings in the page have it.
  const MIB = 1024 ** 2, GIB = 1024 ** 3;
  const box = document.getElementById("usage");
  const lines = { cpu: [], memory: [] };
  let before = null;

  const number = (value, digits) => new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
  const shown = {
    cpu: (value) => number(value, value < 0.1 ? 2 : 1),
    memory: (value) => (value < GIB ? `${number(value / MIB, 0)} MiB` : `${number(value / GIB, 1)} GiB`),
  };

  function pieces(points) {
    const found = [];
    for (const point of points) {
      const last = found.at(-1);
      if (last && point.at - last.at(-1).at <= GAP) last.push(point);
      else found.push([point]);
    }
    return found;
  }

  function draw(name, told) {
    const figure = box.querySelector(`[data-of="${name}"]`);
    const points = lines[name];
    if (!points.length) return;
    const top = Math.max(told.limit ?? 0, ...points.map((point) => point.value)) || 1;
    const x = (at) => (WIDTH - ((told.at - at) / SPAN) * WIDTH).toFixed(1);
    const y = (value) => (HEIGHT - (value / top) * HEIGHT).toFixed(1);
    const paths = pieces(points).map((piece) => ({
      edge: `M${piece.map((point) => `${x(point.at)} ${y(point.value)}`).join("L")}`,
      ends: `L${x(piece.at(-1).at)} ${HEIGHT}L${x(piece[0].at)} ${HEIGHT}Z`,
    }));
    const set = (part, path) => figure.querySelector(part).setAttribute("d", path);
    set(".line", paths.map((one) => one.edge).join(""));
    set(".area", paths.map((one) => one.edge + one.ends).join(""));
    set(".limit", told.limit ? `M0 ${y(told.limit)}H${WIDTH}` : "");
    const words = told.words.replace("{used}", shown[name](points.at(-1).value));
    figure.querySelector(".now").textContent = words;
    figure.querySelector("svg").setAttribute("aria-label", figure.dataset.label.replace("{now}", words));
  }

  function add(name, at, value) {
    lines[name].push({ at, value });
    lines[name] = lines[name].filter((point) => at - point.at <= SPAN);
  }

  function take(used) {
    const passed = before ? used.at - before.at : 0;
    if (before && passed <= 0) return;
    add("memory", used.at, used.memory_bytes);
    // Time that ended processes had used may be missing from the later answer.
    const busy = Math.max(0, used.cpu_seconds - (before?.cpu_seconds ?? 0)) / (passed / 1000);
    if (before && passed <= GAP) add("cpu", used.at, busy);
    before = used;
    box.hidden = false;
    draw("cpu", { at: used.at, limit: used.vcpus, words: used.words.cpu });
    draw("memory", { at: used.at, limit: used.memory_limit, words: used.words.memory });
  }

  function forget() {
    before = null;
    box.hidden = true;
    for (const name of Object.keys(lines)) lines[name] = [];
    for (const now of box.querySelectorAll(".now")) now.textContent = box.dataset.wait;
    for (const path of box.querySelectorAll("path")) path.setAttribute("d", "");
  }

  async function ask() {
    const answer = await fetch(box.dataset.from, { headers: { "HX-Request": "true" } });
    const used = await answer.json();
    if (used) take(used);
    else forget();
  }

  async function turn() {
    if (!box.isConnected) return;
    const runs = document.querySelector('#head [data-status="RUNNING"]') !== null;
    if (!runs) forget();
    // A refusal that is no answer about the notebook, or none at all: what is drawn stays.
    else if (!document.hidden) await ask().catch(() => {});
    setTimeout(turn, !runs || (before && !lines.cpu.length) ? FIRST : PAUSE);
  }

  if (box) turn();
}
