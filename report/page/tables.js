// Makes tables sortable and searchable. Long ones get a field for words, and a choice where they say each row's stage or
// layer kind.
"use strict";
const page_tables = (() => {
  const time_units = { "µs": 1, ms: 1e3, s: 1e6 };
  const prefixes = { k: 1e3, M: 1e6, G: 1e9, T: 1e12 };
  // What a cell's text stands for: "1.07 ± 0.02 ms", "×1.21", "−2.4 %", "59.3 M", "3.21 ms (predicted)"; null where there is no number.
  function number_in(text) {
    const match = /^[×±+]?([−-]?[\d,]*\.?\d+)(?:.*?([^\d\s.,±]+))?\s*$/.exec(text.replace(/\(.*\)\s*$/, "").trim());
    if (!match) return null;
    const value = Number(match[1].replace("−", "-").replaceAll(",", ""));
    const unit = match[2] ?? "";
    return value * (time_units[unit] ?? prefixes[unit[0]] ?? 1);
  }
  function sort_rows(body, column, numeric, ascending) {
    const key = (row) => {
      const text = row.cells[column].textContent;
      return numeric ? number_in(text) : text;
    };
    const rows = [...body.rows].map((row, place) => ({ row, place, key: key(row) }));
    // What has no number comes last in either order; equal ones keep theirs.
    rows.sort((a, b) => {
      if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.place - b.place;
      const order = numeric ? a.key - b.key : a.key.localeCompare(b.key, "en", { numeric: true });
      return (ascending ? order : -order) || a.place - b.place;
    });
    body.append(...rows.map((entry) => entry.row));
  }
  function make_sortable(table) {
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      const numeric = heading.classList.contains("n");
      button.addEventListener("click", () => {
        const was = heading.getAttribute("aria-sort");
        // Numbers begin with the largest, which is what is looked for.
        const ascending = was ? was === "descending" : !numeric;
        headings.forEach((other) => other.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
        sort_rows(table.tBodies[0], column, numeric, ascending);
      });
    });
  }
  // What few values of a column a reader may choose from; null where the column has no such values.
  function choices_of(table, heading) {
    const column = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent === heading);
    if (column < 0) return null;
    const values = [...new Set([...table.tBodies[0].rows].map((row) => row.cells[column].textContent))];
    return values.length > 1 && values.length <= 60 ? { column, values } : null;
  }
  function labelled(text, control) {
    const label = document.createElement("label");
    label.append(text, " ", control);
    return label;
  }
  function selection(values) {
    const select = document.createElement("select");
    for (const value of values) select.append(new Option(value, value));
    return select;
  }
  function make_searchable(table, box) {
    const bar = document.createElement("div");
    bar.className = "filter";
    const field = document.createElement("input");
    field.type = "search";
    const of_layers = [...table.tHead.rows[0].cells].some((cell) => cell.textContent === "Layer");
    field.placeholder = of_layers ? "for example stage2, conv, depthwise" : "";
    const count = document.createElement("output");
    const selects = [];
    function apply() {
      const rows = [...table.tBodies[0].rows];
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const text = words.length ? row.textContent.toLowerCase() : "";
        row.hidden = !words.every((word) => text.includes(word)) ||
          selects.some(({ column, select }) => select.value && row.cells[column].textContent !== select.value);
        shown += row.hidden ? 0 : 1;
      }
      const filtered = words.length || selects.some(({ select }) => select.value);
      count.textContent = filtered ? `${shown} of ${rows.length}` : "";
    }
    for (const heading of ["Stage", "Kind", "Network"]) {
      const choices = choices_of(table, heading);
      if (!choices) continue;
      const select = selection([]);
      select.append(new Option("all", ""), ...choices.values.map((value) => new Option(value, value)));
      select.addEventListener("change", apply);
      selects.push({ column: choices.column, select });
      bar.append(labelled(heading, select));
    }
    field.addEventListener("input", apply);
    bar.append(labelled("Only rows with", field), count);
    box.before(bar);
    return apply;
  }
  const rows_worth_a_search = 15;
  // Gives what applies the filters anew once the rows have changed.
  function prepare(box) {
    const table = box.querySelector("table");
    if (table.tBodies[0].rows.length > 1) make_sortable(table);
    return table.tBodies[0].rows.length >= rows_worth_a_search ? make_searchable(table, box) : () => {};
  }
  return { prepare, labelled, selection };
})();
