// Zooming into charts whose specification has the signals x_zoom and y_zoom: domains of the scales x and y, null for all
// there is. The wheel zooms only with Ctrl or Cmd held, and a finger only scrolls, so that no chart traps the page; a drag of the
// mouse zooms into what it spans; the buttons do all of it, by keyboard and touch too. Escape and a double click reset.
"use strict";
const page_zoom = (() => {
  const closest = 1e-3;  // of the whole domain
  const shortest_drag = 6;  // pixels; less is a click

  class Axis {
    constructor(view, name, signal) {
      Object.assign(this, { view, name, signal });
      this.whole = this.scale().domain();
    }
    scale() { return this.view.scale(this.name); }
    zoomed() { return this.view.signal(this.signal) !== null; }
    // The plot's extent in pixels, low end of the domain first.
    range() { return this.scale().range(); }
    measure(value) { return this.scale().type === "log" ? Math.log(value) : value; }
    span(domain) { return Math.abs(this.measure(domain[1]) - this.measure(domain[0])); }
    reset() { this.view.signal(this.signal, null); }
    // To what lies between two places, in pixels, or less where the domain ends.
    show(from, to) {
      const [first, last] = this.range();
      const ends = last > first ? [Math.min(from, to), Math.max(from, to)] : [Math.max(from, to), Math.min(from, to)];
      const scale = this.scale();
      const wanted = ends.map((pixel) => scale.invert(pixel));
      const domain = [Math.max(wanted[0], this.whole[0]), Math.min(wanted[1], this.whole[1])];
      if (!(domain[1] > domain[0]) || this.span(domain) < closest * this.span(this.whole)) return;
      const all = this.span(domain) > 0.999 * this.span(this.whole);
      this.view.signal(this.signal, all ? null : domain);
    }
    // About a place: above 1 nearer, below 1 farther.
    scale_by(factor, about) {
      const [first, last] = this.range();
      const centre = about ?? (first + last) / 2;
      this.show(centre + (first - centre) / factor, centre + (last - centre) / factor);
    }
    // By a share of what is shown, and no farther than to the end of the domain.
    move(share) {
      const [first, last] = this.range();
      const scale = this.scale();
      const ends = this.whole.map((value) => scale(value));
      const step = (last - first) * share;
      const sign = Math.sign(last - first);
      const room = share > 0 ? sign * (ends[1] - last) : sign * (first - ends[0]);
      const bounded = sign * Math.sign(share) * Math.min(Math.abs(step), Math.max(0, room));
      if (bounded !== 0) this.show(first + bounded, last + bounded);
    }
  }

  function button_of(text, label, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", act);
    return button;
  }

  function prepare(view, element, spec, fail) {
    const axes = {};
    for (const signal of spec.signals ?? []) {
      const name = /^([xy])_zoom$/.exec(signal.name)?.[1];
      if (name) axes[name] = new Axis(view, name, signal.name);
    }
    if (Object.keys(axes).length === 0) return;
    const each = (act) => { for (const axis of Object.values(axes)) act(axis); };
    const title = element.getAttribute("aria-label").split(". ")[0];

    const bar = document.createElement("div");
    bar.className = "zoom";
    bar.setAttribute("role", "toolbar");
    bar.setAttribute("aria-label", `Zoom: ${title}`);
    const nearer = button_of("Zoom in", "Zoom in", () => change(() => each((axis) => axis.scale_by(2))));
    const farther = button_of("Zoom out", "Zoom out", () => change(() => each((axis) => axis.scale_by(0.5))));
    const moves = [];
    const move = (text, label, axis, share) => {
      moves.push(button_of(text, label, () => change(() => axis.move(share))));
    };
    if (axes.x) {
      move("←", "Move left", axes.x, -0.4);
      move("→", "Move right", axes.x, 0.4);
    }
    if (axes.y) {
      move("↓", "Move down", axes.y, -0.4);
      move("↑", "Move up", axes.y, 0.4);
    }
    const all = button_of("Show all", "Show all", reset);
    const only_zoomed = [farther, ...moves, all];
    const buttons = [nearer, ...only_zoomed];
    const hint = document.createElement("span");
    hint.textContent = "or drag across the chart, or Ctrl + wheel";
    bar.append(...buttons, hint);
    element.before(bar);
    element.dataset.zoom = "";

    // One stop of the tab key for the toolbar; arrows go from button to button.
    function focus_on(button) {
      for (const other of buttons) other.tabIndex = other === button ? 0 : -1;
      button.focus();
    }
    buttons.forEach((button, i) => { button.tabIndex = i === 0 ? 0 : -1; });
    bar.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      const shown = buttons.filter((button) => !button.hidden);
      focus_on(shown[(shown.indexOf(document.activeElement) + step + shown.length) % shown.length]);
      event.preventDefault();
    });

    function settle() {
      const zoomed = Object.values(axes).some((axis) => axis.zoomed());
      const lost = !zoomed && only_zoomed.includes(document.activeElement);
      for (const button of only_zoomed) button.hidden = !zoomed;
      hint.hidden = zoomed;
      if (lost) focus_on(nearer);
      else if (!zoomed) buttons.forEach((button) => { button.tabIndex = button === nearer ? 0 : -1; });
    }
    function change(act) {
      act();
      settle();
      view.runAsync().catch(fail);
    }
    function reset() {
      if (Object.values(axes).some((axis) => axis.zoomed())) change(() => each((axis) => axis.reset()));
    }
    settle();

    // Pixels within the plot.
    function place_of(event) {
      const box = element.getBoundingClientRect();
      return { x: event.clientX - box.left - spec.padding.left, y: event.clientY - box.top - spec.padding.top };
    }
    element.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const at = place_of(event);
      change(() => each((axis) => axis.scale_by(2 ** (-event.deltaY / 240), at[axis.name])));
    }, { passive: false });

    const brush = document.createElement("div");
    brush.className = "brush";
    brush.hidden = true;
    element.append(brush);
    let start = null;
    function spanned(end, axis) {
      if (!axes[axis]) return null;
      const [low, high] = [...axes[axis].range()].sort((a, b) => a - b);
      const clamp = (value) => Math.min(high, Math.max(low, value));
      const ends = [clamp(start[axis]), clamp(end[axis])].sort((a, b) => a - b);
      return ends[1] - ends[0] >= shortest_drag ? ends : null;
    }
    function drag(event) {
      if (event.buttons === 0 && event.isTrusted) return end_drag();  // let go outside the window
      const end = place_of(event);
      const x = spanned(end, "x");
      const y = spanned(end, "y");
      brush.hidden = !x && !y;
      const [left, right] = x ?? [0, view.width()];
      const [top, bottom] = y ?? [0, view.height()];
      brush.style.left = `${left + spec.padding.left}px`;
      brush.style.width = `${right - left}px`;
      brush.style.top = `${top + spec.padding.top}px`;
      brush.style.height = `${bottom - top}px`;
    }
    function drop(event) {
      const end = place_of(event);
      const spans = Object.values(axes).map((axis) => [axis, spanned(end, axis.name)]).filter(([, span]) => span);
      end_drag();
      if (spans.length) change(() => { for (const [axis, span] of spans) axis.show(...span); });
    }
    function cancel_drag(event) { if (event.key === "Escape") end_drag(); }
    const listeners = { pointermove: drag, pointerup: drop, pointercancel: end_drag, keydown: cancel_drag };
    function end_drag() {
      brush.hidden = true;
      for (const [type, listener] of Object.entries(listeners)) document.removeEventListener(type, listener);
    }
    element.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "touch" || event.button !== 0 || event.ctrlKey) return;
      start = place_of(event);
      for (const [type, listener] of Object.entries(listeners)) document.addEventListener(type, listener);
    });
    element.addEventListener("dblclick", reset);
    element.closest("figure").addEventListener("keydown", (event) => { if (event.key === "Escape") reset(); });
  }
  return { prepare };
})();
