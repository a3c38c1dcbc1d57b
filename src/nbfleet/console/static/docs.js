// The operations to browse: what only reads can be tried with the session of the reader.
"use strict";

async function ownProject() {
  if (!document.querySelector("[data-signed-in]")) return;
  const answer = await fetch("/v3/projects");
  if (!answer.ok) return;
  const [project] = (await answer.json()).projects;
  for (const field of document.querySelectorAll('input[name="project_id"]')) field.value = project.id;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.path) return;
  event.preventDefault();
  const query = new URLSearchParams();
  let path = form.dataset.path;
  for (const field of form.querySelectorAll("input")) {
    if (field.dataset.in === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
    else if (field.value && field.dataset.in === "query") query.set(field.name, field.value);
  }
  const answer = await fetch(query.size ? `${path}?${query}` : path);
  const output = form.querySelector("pre");
  output.hidden = false;
  output.textContent = `${answer.status}\n${pretty(await answer.text())}`;
});

ownProject();
