// Makes tables sortable and searchable, draws every chart of the page into its element, keeps it as wide as its
// container, and shows tooltips. Whatever goes wrong is said in sight, in #script-errors; <html data-charts="drawn/all">
// tells tests how far it came.
"use strict";
(() => {
  const errors = document.getElementById("script-errors");
  function report(where, error) {
    errors.hidden = false;
    errors.textContent += `${where}: ${error && error.message ? error.message : error}. `;
  }
  window.addEventListener("error", (event) => report("Script", event.error || event.message));
  window.addEventListener("unhandledrejection", (event) => report("Script", event.reason));

  const font = getComputedStyle(document.body).fontFamily;
  const config = {
    background: null,
    text: { fill: "var(--ink)", font, fontSize: 12 },
    axis: {
      labelFont: font, titleFont: font,
      labelColor: "var(--ink-2)", titleColor: "var(--ink-2)", labelFontSize: 11.5, titleFontSize: 12,
      titleFontWeight: "normal", titlePadding: 8, labelPadding: 6, labelFlush: true, labelOverlap: true,
      gridColor: "var(--rule)", domainColor: "var(--ink-3)", tickColor: "var(--ink-3)", tickSize: 4,
    },
    axisY: { labelFlush: false },
  };

  // ---- Tables ----
  const time_units = { "µs": 1, ms: 1e3, s: 1e6 };
  const prefixes = { k: 1e3, M: 1e6, G: 1e9, T: 1e12 };
  // What a cell's text stands for: "1.07 ± 0.02 ms", "×1.21", "−2.4 %", "59.3 M"; null where there is no number.
  function number_in(text) {
    const match = /^[×±+]?([−-]?[\d,]*\.?\d+)(?:.*?([^\d\s.,±]+))?\s*$/.exec(text.trim());
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
  function make_searchable(table, box) {
    const label = document.createElement("label");
    label.className = "filter";
    const field = document.createElement("input");
    field.type = "search";
    field.placeholder = "for example stage2, conv, depthwise";
    const count = document.createElement("output");
    label.append("Only rows with ", field, " ", count);
    box.before(label);
    const rows = [...table.tBodies[0].rows];
    const texts = rows.map((row) => row.textContent.toLowerCase());
    field.addEventListener("input", () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row, i) => {
        row.hidden = !words.every((word) => texts[i].includes(word));
        shown += row.hidden ? 0 : 1;
      });
      count.textContent = words.length ? `${shown} of ${rows.length}` : "";
    });
  }
  const rows_worth_a_search = 15;
  for (const box of document.querySelectorAll(".scroll")) {
    const table = box.querySelector("table");
    if (table.tBodies[0].rows.length > 1) make_sortable(table);
    if (table.tBodies[0].rows.length >= rows_worth_a_search) make_searchable(table, box);
  }

  // ---- The chart library: the modules' transforms are registered as its own bundle does ----
  function load_library() {
    const require = chart_modules.require;
    const dataflow = require("vega-dataflow");
    for (const name of ["vega-transforms", "vega-view-transforms", "vega-encode", "vega-label"]) {
      Object.assign(dataflow.transforms, require(name));
    }
    return {
      View: require("vega-view").View,
      parse: require("vega-parser").parse,
      interpreter: require("vega-interpreter").expressionInterpreter,
    };
  }

  // ---- Tooltips ----
  const tooltip = document.createElement("div");
  tooltip.className = "tooltip";
  tooltip.setAttribute("role", "status");
  tooltip.hidden = true;
  document.body.append(tooltip);
  function show_tooltip(handler, event, item, value) {
    tooltip.hidden = value === null || value === undefined || value === "";
    if (tooltip.hidden) return;
    tooltip.textContent = value;
    const room = document.documentElement.clientWidth - tooltip.offsetWidth - 8;
    tooltip.style.left = `${Math.max(8, Math.min(event.clientX + 14, room))}px`;
    const below = event.clientY + 18;
    const fits = below + tooltip.offsetHeight < window.innerHeight - 4;
    tooltip.style.top = `${fits ? below : event.clientY - tooltip.offsetHeight - 12}px`;
  }

  // ---- Charts ----
  function width_for(element, spec) {
    return Math.max(120, element.clientWidth - spec.padding.left - spec.padding.right);
  }
  async function draw(library, element, spec) {
    const runtime = library.parse({ width: width_for(element, spec), ...spec }, config, { ast: true });
    const view = new library.View(runtime, {
      container: element, renderer: "svg", hover: false, tooltip: show_tooltip, expr: library.interpreter,
      logLevel: 1,
    });
    // Expression errors surface as rejected runs; the library would only log them.
    view.logger({
      level() { return this; }, warn() { return this; }, info() { return this; }, debug() { return this; },
      error(...parts) { report("Chart", parts.join(" ")); return this; },
    });
    await view.runAsync();
    let pending = 0;
    new ResizeObserver(() => {
      cancelAnimationFrame(pending);
      pending = requestAnimationFrame(() => {
        const width = width_for(element, spec);
        if (width !== view.width()) view.width(width).runAsync().catch((error) => report("Chart", error));
      });
    }).observe(element);
  }
  async function draw_all() {
    const sources = [...document.querySelectorAll("script[data-chart]")];
    let drawn = 0;
    const progress = () => { document.documentElement.dataset.charts = `${drawn}/${sources.length}`; };
    progress();
    const library = load_library();
    for (const source of sources) {
      const element = document.getElementById(source.dataset.chart);
      try {
        await draw(library, element, JSON.parse(source.textContent));
        drawn += 1;
      } catch (error) {
        report(source.dataset.chart, error);
      }
      progress();
    }
  }
  draw_all().catch((error) => report("Charts", error));
})();
