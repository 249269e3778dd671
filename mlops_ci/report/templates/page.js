"use strict";
// Each head of a sortable table becomes a button: the first press sorts upwards, the next downwards.
// A picture shows the change beside it, so it sorts by that.
const key = (cell) => {
  const shown = cell.dataset.key === undefined && cell.querySelector("code[aria-hidden]");
  const told = shown ? cell.previousElementSibling : cell;
  const text = (told.dataset.key ?? told.textContent).trim().replaceAll(",", "").replace("−", "-");
  const number = Number.parseFloat(text);
  return Number.isNaN(number) ? text : number;
};
const compare = (a, b) => {
  if (a === "" || b === "") return (a === "") - (b === "");
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
};
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => compare(key(a.cells[column]), key(b.cells[column])) * (down ? -1 : 1));
      table.tBodies[0].append(...rows);
    });
  });
}
