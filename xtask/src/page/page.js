"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // What needs a script is hidden until there is one.
  all(".tools, .filter").forEach((tool) => { tool.hidden = false; });

  // The theme that was chosen, else the system's. A page that is opened as a file may have no storage.
  const store = {
    get: () => { try { return localStorage.getItem("query-budget-theme"); } catch { return null; } },
    set: (value) => { try { localStorage.setItem("query-budget-theme", value); } catch { /* not kept */ } },
  };
  const chosen = store.get();
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
  document.getElementById("theme").addEventListener("click", () => {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const next = (root.dataset.theme || system) === "dark" ? "light" : "dark";
    root.dataset.theme = next;
    store.set(next);
  });

  // Search over all rows: every word has to be in a row.
  const search = document.getElementById("search");
  const rows = all(".row").map((row) => ({ row, text: null }));
  const select = document.querySelector("select[data-filter]");
  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = select ? select.value : "";
    for (const entry of rows) {
      if (words.length > 0 && entry.text === null) entry.text = entry.row.textContent.toLowerCase();
      const found = words.every((word) => entry.text.includes(word));
      const fits = !wanted || !entry.row.dataset.class || entry.row.dataset.class === wanted;
      entry.row.hidden = !(found && fits);
    }
    const filtered = words.length > 0 || wanted;
    for (const section of all("section")) {
      const mine = all(".row", section);
      const count = document.querySelector(`.sections a[href="#${section.id}"] .count`);
      if (!count || mine.length === 0) continue;
      count.dataset.all = count.dataset.all || count.textContent;
      const shown = mine.filter((row) => !row.hidden).length;
      count.textContent = filtered ? `${shown} of ${mine.length}` : count.dataset.all;
    }
  };
  let waiting = 0;
  search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(show, 80); });
  if (select) select.addEventListener("change", show);
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing) { event.preventDefault(); search.focus(); }
    if (event.key === "Escape" && document.activeElement === search) { search.value = ""; show(); search.blur(); }
  });

  // Tables are sorted by a click on a heading: by data-sort where there is one, else by the text.
  for (const table of all("table.list")) {
    const heads = all("thead th", table);
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const body = table.tBodies[0];
        const key = (row) => {
          const cell = row.cells[column];
          const value = cell.dataset.sort ?? cell.textContent.trim();
          return value !== "" && !Number.isNaN(Number(value)) ? Number(value) : value.toLowerCase();
        };
        const keyed = [...body.rows].map((row) => [key(row), row]);
        keyed.sort(([a], [b]) => (typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1));
        if (down) keyed.reverse();
        body.append(...keyed.map(([, row]) => row));
      });
    });
    // On a phone a cell stands below the others, with the name of its column.
    for (const row of table.tBodies[0].rows) {
      [...row.cells].forEach((cell, column) => {
        const name = heads[column] ? heads[column].textContent : "";
        if (cell.textContent.trim() !== "" && !cell.querySelector("details, pre, code, .badge")) cell.dataset.label = name;
        else if (cell.querySelector("ul")) cell.dataset.label = name;
      });
    }
  }

  // A link to a function opens what it stands in; one to a row that is filtered out shows it again.
  const reveal = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && document.getElementById(id);
    if (!target) return;
    if (target.closest("[hidden]")) { search.value = ""; if (select) select.value = ""; show(); }
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    const own = target.querySelector("details");
    if (own) own.open = true;
    target.scrollIntoView({ block: "center" });
  };
  addEventListener("hashchange", reveal);
  reveal();
})();
