"use strict";

(() => {
  const table = document.getElementById("claims-table");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows); // as the page lists them
  const headers = Array.from(table.tHead.rows[0].cells);
  const filter = document.querySelector(".filter");
  const choices = Array.from(filter.querySelectorAll("button"));
  const said = document.getElementById("shown");

  function show(verdict) {
    for (const row of rows) row.hidden = verdict !== "" && row.dataset.verdict !== verdict;
    for (const choice of choices) {
      choice.setAttribute("aria-pressed", String(choice.dataset.show === verdict));
    }
    const count = rows.filter((row) => !row.hidden).length;
    said.textContent = `${count} of ${rows.length} claims shown`;
  }

  // Numbers by size, words by the alphabet, what is empty last either way.
  function compare(first, second, direction) {
    if (first === "" || second === "") return (first === "") - (second === "");
    const difference = Number(first) - Number(second);
    const order = Number.isNaN(difference) ? first.localeCompare(second, "en") : difference;
    return direction * order;
  }

  function sort(column) {
    const next = { none: "ascending", ascending: "descending", descending: "none" };
    const wanted = next[headers[column].getAttribute("aria-sort")];
    for (const header of headers) header.setAttribute("aria-sort", "none");
    headers[column].setAttribute("aria-sort", wanted);
    const direction = { ascending: 1, descending: -1 }[wanted];
    const key = (row) => row.cells[column].dataset.sort;
    const sorted = direction
      ? rows.slice().sort((first, second) => compare(key(first), key(second), direction))
      : rows;
    body.append(...sorted);
  }

  // A link to a claim that the filter hides shows it.
  function follow() {
    const target = document.getElementById(location.hash.slice(1));
    if (target && target.hidden) {
      show("");
      target.scrollIntoView();
    }
  }

  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = header.textContent;
    button.addEventListener("click", () => sort(column));
    // A table head with buttons is not repeated on every printed page: there its text stands.
    const text = document.createElement("span");
    text.className = "printed-only";
    text.textContent = header.textContent;
    header.replaceChildren(button, text);
  });
  for (const choice of choices) {
    choice.addEventListener("click", () => show(choice.dataset.show));
  }
  window.addEventListener("hashchange", follow);
  filter.hidden = false;
  show("");
})();
