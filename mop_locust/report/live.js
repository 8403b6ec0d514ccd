"use strict";
// The page /mop: asks for what is new, puts it in its place, draws the charts again.
// The parts are markup that the suite itself made, with every text of others escaped; the page's policy runs no inline script.

{
  const EVERY_MS = 1000;
  const folder = document.body.dataset.folder;
  const parts = [...document.querySelectorAll("[data-part]")];
  const before = new Map();
  const course = { rows: [], server: [], workers: {} };
  let since = "";

  function put(found) {
    for (const part of parts) {
      const markup = found[part.dataset.part] || "";
      if (before.get(part) === markup) continue;
      before.set(part, markup);
      part.innerHTML = markup;
      if (part.parentElement.tagName === "SECTION") part.parentElement.hidden = !markup;
    }
  }

  function take(answer) {
    if (answer.whole) course.rows = [];
    const rows = new Map(course.rows.map((row) => [row.start_s, row]));
    for (const row of answer.rows) rows.set(row.start_s, row);
    course.rows = [...rows.values()].sort((one, other) => one.start_s - other.start_s);
    course.server = answer.server;
    course.workers = answer.workers;
    document.documentElement.classList.toggle("drawn", course.rows.length > 0);
    if (answer.whole || answer.rows.length) MOP.drawCourse(document.getElementById("charts"), course);
    since = answer.since;
  }

  async function look() {
    const state = document.getElementById("connection");
    const began = performance.now();
    try {
      if (!document.hidden) {
        const response = await fetch(`${folder}/data.json?since=${encodeURIComponent(since)}`);
        if (!response.ok || response.redirected) throw new Error(`answer ${response.status}; is a login needed?`);
        const answer = await response.json();
        put(answer.parts);
        take(answer);
        document.title = answer.title;
        state.textContent = "";
      }
    } catch (error) {
      state.textContent = `No news from the load test: ${error.message}. What stands here may be old.`;
    }
    // A slow device, or a long run, is given time to do something else than draw.
    setTimeout(look, Math.max(EVERY_MS, performance.now() - began));
  }

  look();
}
