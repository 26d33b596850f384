// What a page must have so that everybody can use it, as axe and WCAG 2.1 AA put it: contrast, labels, text
// alternatives, an order of headings, focus in sight; in light and dark, with all that is folded opened.
#include <gmock/gmock.h>

#include "tests/report/browser_page.hpp"

namespace hacscale::report {
namespace {

using ::testing::HasSubstr;

// Each check gives sentences on what is wrong; none is right.
constexpr const char* open_all = R"(
  for (const details of document.querySelectorAll("details")) details.open = true;
  const faults = [];
  const visible = (element) => element.getClientRects().length > 0;
  const short = (element) => `${element.tagName.toLowerCase()}.${element.getAttribute("class") ?? ""} "${element.textContent.trim().slice(0, 30)}"`;
)";

constexpr const char* contrast = R"(
  const channels = (text) => {
    const parts = text.match(/[\d.]+/g).map(Number);
    const srgb = text.startsWith("color(");
    return { rgb: parts.slice(0, 3).map((part) => srgb ? part : part / 255), alpha: parts[3] ?? 1 };
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const backdrop = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { rgb, alpha } = channels(getComputedStyle(at).backgroundColor);
      if (alpha === 1) return rgb;
    }
    return [1, 1, 1];
  };
  let checked = 0;
  const seen = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (seen.has(element) || !walker.currentNode.textContent.trim() || !visible(element)) continue;
    if (element.closest("script, style, noscript, option, .unseen")) continue;
    seen.add(element);
    const style = getComputedStyle(element);
    const drawn = element instanceof SVGElement;
    if (drawn && (Number(style.opacity) === 0 || style.fill === "none")) continue;
    const ink = luminance(channels(drawn ? style.fill : style.color).rgb);
    const page = luminance(backdrop(drawn ? element.closest(".chart") : element));
    const ratio = (Math.max(ink, page) + 0.05) / (Math.min(ink, page) + 0.05);
    checked += 1;
    if (ratio < 4.5) faults.push(`${short(element)} ${ratio.toFixed(2)}`);
  }
  return `${checked > 500 ? "checked" : checked}: ${[...new Set(faults)].slice(0, 8).join("; ")}.`;
)";

constexpr const char* structure = R"(
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`id ${id} twice`);
  let level = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) faults.push(`${short(heading)} after h${level}`);
    level = next;
  }
  for (const control of document.querySelectorAll("input, select, textarea, button, summary, a")) {
    const label = control.getAttribute("aria-label") ?? control.closest("label")?.textContent ?? "";
    const own = ["BUTTON", "SUMMARY", "A"].includes(control.tagName) ? control.textContent : "";
    if (!(label + own).trim()) faults.push(`${short(control)} has no name`);
  }
  for (const chart of document.querySelectorAll(".chart")) {
    if (chart.getAttribute("role") !== "img" || (chart.getAttribute("aria-label") ?? "").length < 30) faults.push(`${chart.id} has no text`);
  }
  for (const table of document.querySelectorAll("table")) {
    if (!table.caption?.textContent.trim()) faults.push("a table without caption");
    if ([...table.tHead.rows[0].cells].some((cell) => cell.scope !== "col")) faults.push("a heading without scope");
  }
  for (const region of document.querySelectorAll("[role=region], [role=toolbar], nav, section")) {
    if (!region.getAttribute("aria-label") && !region.getAttribute("aria-labelledby")) faults.push(`${short(region)} has no name`);
  }
  for (const link of document.querySelectorAll("a[href^='#']")) {
    if (!document.getElementById(link.hash.slice(1))) faults.push(`${link.hash} leads nowhere`);
  }
  if (!document.documentElement.lang || !document.title || !document.querySelector("main")) faults.push("no language, title or main");
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) {
    faults.push(`the page scrolls sideways: ${document.documentElement.scrollWidth}`);
  }
  return `faults: ${[...new Set(faults)].slice(0, 8).join("; ")}.`;
)";

constexpr const char* focus = R"(
  let reached = 0;
  for (const control of document.querySelectorAll("input, select, button, summary, a, [tabindex='0']")) {
    if (!visible(control) || control.tabIndex < 0) continue;
    control.focus();
    reached += 1;
    const style = getComputedStyle(control);
    if (document.activeElement !== control) faults.push(`${short(control)} takes no focus`);
    else if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) === 0) faults.push(`${short(control)} shows no focus`);
  }
  return `${reached > 50 ? "reached" : reached}: ${[...new Set(faults)].slice(0, 8).join("; ")}.`;
)";

class Accessibility : public Browser {
protected:
    std::string answer_of(const std::string& page, const char* check, int width = 1200, bool dark = false) {
        const std::string script = when_drawn(std::string(open_all) + check);
        const std::string document = loaded(replaced(page, "</body>", script), width, dark);
        const std::size_t at = document.find("<p id=\"said\">");
        return at == std::string::npos ? document.substr(0, 200)
                                       : document.substr(at + 13, document.find("</p>", at) - at - 13);
    }

    // Two devices side by side.
    std::string side_by_side() {
        std::vector<records::RunRecords> runs;
        for (const double slowness : {1.0, 1.5}) {
            const auto folder = folder_.path() / std::to_string(slowness);
            write_sample_records(folder, {.device = "Another CPU", .slowness = slowness});
            runs.push_back(records::load_records(folder));
        }
        return read_text(write_side_by_side(runs, folder_.path()).front());
    }
};

TEST_F(Accessibility, TextStandsOutInLightAndDark) {
    for (const bool dark : {false, true}) {
        EXPECT_EQ(answer_of(page_, contrast, 1200, dark), "checked: .") << (dark ? "dark" : "light");
    }
}

TEST_F(Accessibility, EverythingHasANameAndAnOrder) {
    for (const int width : {1400, 500}) EXPECT_EQ(answer_of(page_, structure, width), "faults: .") << width;
}

TEST_F(Accessibility, FocusIsInSight) {
    EXPECT_EQ(answer_of(page_, focus), "reached: .");
}

TEST_F(Accessibility, RunsSideBySideKeepToTheSame) {
    const std::string page = side_by_side();
    EXPECT_EQ(answer_of(page, structure, 500), "faults: .");
    EXPECT_EQ(answer_of(page, contrast, 1200, true), "checked: .");
    EXPECT_THAT(loaded(page), HasSubstr("role=\"alert\" hidden"));
}

}  // namespace
}  // namespace hacscale::report
