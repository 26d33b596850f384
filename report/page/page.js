// Draws every chart of the page into its element, keeps it as wide as its container, and shows tooltips. Whatever goes
// wrong is said in sight, in #script-errors; <html data-charts="drawn/all"> tells tests how far it came.
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
