// Draws every chart of the page into its element, keeps it as wide as its container, and shows tooltips; tables, choices
// of networks and zooming have files of their own. Whatever goes wrong is said in sight, in #script-errors; <html
// data-charts="drawn/all"> tells tests how far it came.
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

  const pickers = Promise.all([...document.querySelectorAll("[data-networks]")].map((picker) =>
    page_pickers.prepare(picker).catch((error) => report("Networks", error))));
  for (const box of document.querySelectorAll(".scroll:not([data-networks] *)")) page_tables.prepare(box);

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
  function rows_of(set) {
    if (Array.isArray(set)) return set;
    return set.rows.map((row) => Object.fromEntries(set.fields.map((field, i) => [field, row[i]])));
  }
  function frame_of(source) { return JSON.parse(document.getElementById(source.dataset.frame).textContent); }
  // The frame that charts of one kind share, with this chart's data and signals put in.
  async function specification_of(source) {
    const spec = frame_of(source);
    const own = await page_packed.read(source);
    for (const set of spec.data) if (set.name in own.data) set.values = rows_of(own.data[set.name]);
    for (const signal of spec.signals) if (signal.name in own.signals) signal.value = own.signals[signal.name];
    return spec;
  }
  function width_for(element, spec) {
    return Math.max(120, element.clientWidth - spec.padding.left - spec.padding.right);
  }
  async function draw(library, element, spec) {
    const runtime = library.parse({ width: width_for(element, spec), ...spec }, config, { ast: true });
    // The library gives its container a role and a label of its own; those of the element stay.
    const plot = document.createElement("div");
    element.append(plot);
    const view = new library.View(runtime, {
      container: plot, renderer: "svg", hover: false, tooltip: show_tooltip, expr: library.interpreter,
      logLevel: 1,
    });
    // Expression errors surface as rejected runs; the library would only log them.
    view.logger({
      level() { return this; }, warn() { return this; }, info() { return this; }, debug() { return this; },
      error(...parts) { report("Chart", parts.join(" ")); return this; },
    });
    await view.runAsync();
    page_zoom.prepare(view, element, spec, (error) => report("Chart", error));
    let pending = 0;
    new ResizeObserver(() => {
      cancelAnimationFrame(pending);
      pending = requestAnimationFrame(() => {
        const width = width_for(element, spec);
        if (width !== view.width()) view.width(width).runAsync().catch((error) => report("Chart", error));
      });
    }).observe(element);
  }
  // So that what stands below a chart does not move when it is drawn, where its height is known before.
  function reserve_heights(charts) {
    const heights = new Map();
    for (const [element, source] of charts) {
      const id = source.dataset.frame;
      if (!heights.has(id)) {
        const { height, padding } = frame_of(source);
        heights.set(id, height ? `${height + padding.top + padding.bottom}px` : "");
      }
      element.style.minHeight = heights.get(id);
    }
  }
  function idle() {
    return new Promise((next) => {
      if (window.requestIdleCallback) requestIdleCallback(next, { timeout: 300 });
      else setTimeout(next);
    });
  }
  // One chart at a time, those that the reader is near before the others, and the browser's own work between: the page
  // answers while charts are still to be drawn. All are drawn in the end, for printing.
  async function draw_all() {
    const waiting = new Map();
    for (const source of document.querySelectorAll("script[data-chart]")) {
      waiting.set(document.getElementById(source.dataset.chart), source);
    }
    const all = waiting.size;
    let drawn = 0;
    const progress = () => { document.documentElement.dataset.charts = `${drawn}/${all}`; };
    progress();
    if (all === 0) return;
    reserve_heights(waiting);
    const near = new Set();
    const observer = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) isIntersecting ? near.add(target) : near.delete(target);
    }, { rootMargin: "100% 0px" });
    for (const element of waiting.keys()) observer.observe(element);
    await idle();
    await pickers;
    const library = load_library();
    while (waiting.size > 0) {
      await idle();
      const element = [...near].find((one) => waiting.has(one)) ?? waiting.keys().next().value;
      const source = waiting.get(element);
      waiting.delete(element);
      observer.unobserve(element);
      try {
        await draw(library, element, await specification_of(source));
        drawn += 1;
      } catch (error) {
        report(source.dataset.chart, error);
      }
      progress();
    }
  }
  // Sections are laid out and charts drawn as the reader comes near, which may move where a link led; so it is gone to once
  // more, unless the reader has moved on.
  let moved = false;
  for (const type of ["wheel", "keydown", "pointerdown", "touchstart"]) {
    window.addEventListener(type, () => { moved = true; }, { passive: true, once: true });
  }
  function to_target() {
    document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  }
  window.addEventListener("hashchange", () => requestAnimationFrame(() => requestAnimationFrame(to_target)));
  draw_all().then(() => { if (location.hash && !moved) to_target(); }).catch((error) => report("Charts", error));
})();
