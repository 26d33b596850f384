// What readers do on the page: zoom into charts and back, and pick two networks to see which layers differ.
#include <gmock/gmock.h>

#include "tests/report/browser_page.hpp"

namespace hacscale::report {
namespace {

using ::testing::HasSubstr;

class Interaction : public Browser {
protected:
    std::string said(const std::string& action) {
        const std::string document = loaded(replaced(page_, "</body>", when_drawn(action)));
        const std::size_t at = document.find("<p id=\"said\">");
        return document.substr(at + 13, document.find("</p>", at) - at - 13);
    }
};

TEST_F(Interaction, ALinkLeadsToItsSectionWhenAllIsDrawn) {
    const std::string action = R"(
  await new Promise((next) => setTimeout(next, 200));
  return Math.round(document.querySelector("#network-1").getBoundingClientRect().top);
)";
    const std::string page = replaced(page_, "</body>", when_drawn(action));
    EXPECT_THAT(loaded(page, 1200, false, "#network-1"), HasSubstr("<p id=\"said\">0</p>"));
}

// A chart that zooms, its toolbar, and the texts of its horizontal axis.
constexpr const char* zoomable = R"(
  const settled = () => new Promise((next) => setTimeout(next, 100));
  const figure = document.querySelector("#network-1 figure");
  const chart = figure.querySelector(".chart");
  const ticks = () => [...chart.querySelectorAll(".role-axis-label text")].map((text) => text.textContent).sort().join(" ");
  const button = (text) => [...figure.querySelectorAll(".zoom button")].find((one) => one.textContent === text);
  const shown = () => [...figure.querySelectorAll(".zoom button")].filter((one) => !one.hidden).map((one) => one.textContent).join(" ");
  const whole = ticks();
)";

TEST_F(Interaction, ButtonsZoomAndEscapeShowsAllAgain) {
    EXPECT_EQ(said(std::string(zoomable) + R"(
  const said = [shown()];
  button("Zoom in").click();
  await settled();
  said.push(ticks() !== whole, shown());
  const near = ticks();
  button("→").click();
  await settled();
  said.push(ticks() !== near);
  button("Show all").focus();
  document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
  await settled();
  said.push(ticks() === whole, document.activeElement === button("Zoom in"));
  return said.join("|");
)"),
              "Zoom in|true|Zoom in Zoom out ← → Show all|true|true|true");
}

TEST_F(Interaction, TheToolbarIsOneStopAndArrowsGoThroughIt) {
    EXPECT_EQ(said(std::string(zoomable) + R"(
  button("Zoom in").click();
  await settled();
  const stops = () => [...figure.querySelectorAll(".zoom button")].filter((one) => one.tabIndex === 0).length;
  const said = [stops()];
  button("Zoom in").focus();
  const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  press("ArrowRight");
  said.push(document.activeElement.textContent, stops());
  press("ArrowLeft");
  press("ArrowLeft");
  said.push(document.activeElement.textContent);
  return said.join("|");
)"),
              "1|Zoom out|1|Show all");
}

TEST_F(Interaction, TheWheelScrollsThePageUnlessCtrlIsHeld) {
    EXPECT_EQ(said(std::string(zoomable) + R"(
  const box = chart.getBoundingClientRect();
  const wheel = (ctrlKey) => {
    const event = new WheelEvent("wheel", { deltaY: -240, ctrlKey, clientX: box.x + 200, clientY: box.y + 40, bubbles: true, cancelable: true });
    chart.dispatchEvent(event);
    return event.defaultPrevented;
  };
  const said = [wheel(false)];
  await settled();
  said.push(ticks() === whole, wheel(true));
  await settled();
  said.push(ticks() !== whole);
  return said.join("|");
)"),
              "false|true|true|true");
}

TEST_F(Interaction, ADragZoomsIntoWhatItSpansAndADoubleClickShowsAll) {
    EXPECT_EQ(said(std::string(zoomable) + R"(
  const box = chart.getBoundingClientRect();
  const at = (type, x, buttons) => chart.dispatchEvent(new PointerEvent(type, {
    pointerType: "mouse", button: 0, buttons, clientX: box.x + x, clientY: box.y + 50, bubbles: true }));
  at("pointerdown", 200, 1);
  at("pointermove", 400, 1);
  const said = [!chart.querySelector(".brush").hidden];
  at("pointerup", 400, 0);
  await settled();
  said.push(chart.querySelector(".brush").hidden, ticks() !== whole);
  chart.dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
  await settled();
  said.push(ticks() === whole);
  at("pointerdown", 200, 1);
  at("pointerup", 202, 0);
  await settled();
  said.push(ticks() === whole);
  return said.join("|");
)"),
              "true|true|true|true|true");
}

constexpr const char* picker = R"(
  const section = document.querySelector("#layer-differences-1");
  const [from, to] = section.querySelectorAll("select");
  const table = section.querySelector("table");
  const pick = (select, text) => {
    select.selectedIndex = [...select.options].findIndex((option) => option.textContent.startsWith(text));
    select.dispatchEvent(new Event("change"));
  };
  const cells = (row) => [...row.cells].map((cell) => cell.textContent);
  const headings = () => [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
)";

TEST_F(Interaction, TwoStrategiesArePickedAndTheirLayersCompared) {
    EXPECT_EQ(said(std::string(picker) + R"(
  const said = [[...from.options].map((option) => option.textContent).join(" ")];
  said.push(`${from.value} to ${to.value}`);
  pick(from, "width-only");
  pick(to, "uniform");
  said.push(headings().slice(2, 6).join(" "));
  const row = [...table.tBodies[0].rows].find((one) => one.cells[0].textContent === "stage1.block0.conv1");
  said.push(cells(row).slice(2, 7).join(" "));
  return said.join("|").replaceAll("\u00a0", " ");
)"),
              "base, depth-only hacscale width-only, fast uniform|base, depth-only to hacscale|Width, "
              "width-only Width, uniform "
              "Latency, width-only "
              "Latency, uniform|16 16 96.0 µs 120 µs +24.0 µs");
}

TEST_F(Interaction, LayersThatAreTheSameCanBeLeftOut) {
    EXPECT_EQ(said(std::string(picker) + R"(
  pick(from, "width-only");
  pick(to, "width-only");
  const all = table.tBodies[0].rows.length;
  const only = section.querySelector("input[type=checkbox]");
  only.click();
  const none = table.tBodies[0].rows.length;
  pick(to, "uniform");
  const some = table.tBodies[0].rows.length;
  const shares = [...table.tBodies[0].rows].map((row) => parseFloat(row.cells[7].textContent));
  return [all, none, some > 0 && some < all, shares.every((share, i) => i === 0 || share <= shares[i - 1]),
          section.querySelector("output").textContent].join("|");
)"),
              "22|0|true|true|20 of 22 layers differ");
}

}  // namespace
}  // namespace hacscale::report
