// Two networks chosen from a comparison, layer by layer. The table that stands in the page is of the pair that the selects
// show first, and is written anew when another pair is chosen. Latencies are formatted in the data; only differences are
// formatted here, since there is one for each pair.
"use strict";
const page_pickers = (() => {
  const absent = "–";
  function signed(value, text) { return `${value < 0 ? "−" : value > 0 ? "+" : "±"}${text}`; }
  function significant(value) {
    if (value === 0) return "0";
    const digits = Math.max(0, 2 - Math.floor(Math.log10(value)));
    return Number(value.toPrecision(3)).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }
  function difference(us) {
    const size = Math.abs(us);
    return signed(us, size < 1000 ? `${significant(size)}\u00a0µs` : size < 1e6 ? `${significant(size / 1e3)}\u00a0ms` : `${significant(size / 1e6)}\u00a0s`);
  }
  function percent(share) { return `${significant(100 * share)}\u00a0%`; }

  // The network's layers by name: {width, us, text, key}, and the sum of their latencies.
  function network_of(data, index) {
    const layers = new Map();
    let total = 0;
    for (const [name, figure] of data.networks[index].layers) {
      const [width, us, text, key] = data.figures[figure];
      layers.set(data.names[name], { width, us, text, key });
      total += us ?? 0;
    }
    return { layers, total };
  }
  // In the order of the first network, what only the second has behind it; then by share of time.
  function rows_of(data, first, second) {
    const a = network_of(data, first);
    const b = network_of(data, second);
    const names = [...new Set([...a.layers.keys(), ...b.layers.keys()])];
    const rows = names.map((name) => {
      const [one, other] = [a.layers.get(name), b.layers.get(name)];
      const share = Math.max((one?.us ?? 0) / (a.total || 1), (other?.us ?? 0) / (b.total || 1));
      const same = one && other && one.key === other.key;
      return { name, one, other, share, same };
    });
    return rows.sort((x, y) => y.share - x.share);
  }
  function cells_of(data, { name, one, other, share }) {
    const known = typeof one?.us === "number" && typeof other?.us === "number";
    const added = !one && typeof other?.us === "number" ? other.us : 0;
    const dropped = !other && typeof one?.us === "number" ? -one.us : 0;
    const change = known ? other.us - one.us : added + dropped;
    return [name, data.stages[name] ?? absent, one?.width ?? absent, other?.width ?? absent, one?.text ?? absent,
      other?.text ?? absent, known || added || dropped ? difference(change) : absent, percent(share)];
  }
  function row_element(data, row, numeric) {
    const element = document.createElement("tr");
    if (row.same) element.className = "unchanged";
    cells_of(data, row).forEach((text, i) => {
      const cell = document.createElement(i === 0 ? "th" : "td");
      if (i === 0) cell.scope = "row";
      if (numeric[i]) cell.className = "n";
      cell.textContent = text;
      element.append(cell);
    });
    return element;
  }

  async function prepare(picker) {
    const data = await page_packed.read(document.getElementById(picker.dataset.networks));
    const box = picker.querySelector(".scroll");
    const table = box.querySelector("table");
    const filter_anew = page_tables.prepare(box);
    if (data.networks.length < 2) return;
    const headings = [...table.tHead.rows[0].cells];
    const numeric = headings.map((heading) => heading.classList.contains("n"));
    const labels = data.networks.map((network) => network.label);
    const selects = [data.first, data.second].map((index) => {
      const select = page_tables.selection(labels);
      select.selectedIndex = index;
      return select;
    });
    const differing = document.createElement("input");
    differing.type = "checkbox";
    const summary = document.createElement("output");
    const bar = document.createElement("div");
    bar.className = "filter";
    const only = document.createElement("label");
    only.append(differing, " Only layers that differ");
    bar.append(page_tables.labelled("From", selects[0]), page_tables.labelled("to", selects[1]), only, summary);
    picker.prepend(bar);

    function show() {
      const [first, second] = selects.map((select) => select.selectedIndex);
      const rows = rows_of(data, first, second);
      const unlike = rows.filter((row) => !row.same);
      const shown = differing.checked ? unlike : rows;
      table.tBodies[0].replaceChildren(...shown.map((row) => row_element(data, row, numeric)));
      for (const heading of headings) heading.removeAttribute("aria-sort");
      [[2, "Width", first], [3, "Width", second], [4, "Latency", first], [5, "Latency", second]].forEach(([column, what, index]) => {
        (headings[column].querySelector("button") ?? headings[column]).textContent = `${what}, ${data.networks[index].name}`;
      });
      summary.textContent = `${unlike.length} of ${rows.length} layers differ`;
      filter_anew();
    }
    for (const control of [...selects, differing]) control.addEventListener("change", show);
    show();
  }
  return { prepare };
})();
