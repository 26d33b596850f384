// The page in a real browser, where there is one: every chart draws, tooltips show, and failures are said in
// sight.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/report/browser_page.hpp"

namespace hacscale::report {
namespace {

using ::testing::HasSubstr;

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) {
        ++count;
    }
    return count;
}

TEST_F(Browser, DrawsEveryChartAtBothWidths) {
    for (const int width : {1400, 500}) {
        const std::string document = loaded(page_, width);
        EXPECT_THAT(document, HasSubstr("data-charts=\"11/11\"")) << width;
        EXPECT_EQ(count_of(document, "<svg"), 11u) << width;
        EXPECT_THAT(document, HasSubstr("role=\"alert\" hidden")) << width;
    }
}

TEST_F(Browser, ShowsATooltip) {
    const std::string pointing = R"(<script>
const wait = setInterval(() => {
  const mark = document.querySelector("#chart-1 .mark-symbol path");
  if (!mark) return;
  clearInterval(wait);
  const box = mark.getBoundingClientRect();
  for (const type of ["pointermove", "mousemove"]) {
    mark.dispatchEvent(new MouseEvent(type, { bubbles: true, clientX: box.x + 2, clientY: box.y + 2 }));
  }
}, 50);
</script></body>)";
    const std::string document = loaded(replaced(page_, "</body>", pointing));
    EXPECT_THAT(document, HasSubstr("<div class=\"tooltip\" role=\"status\" style"));
    EXPECT_THAT(document, HasSubstr("\nstatus: ok</div>"));
}

TEST_F(Browser, TablesAreSortedByTheirHeadings) {
    const std::string action = R"(
  const table = document.querySelector("#strategies-1 table");
  const heading = [...table.tHead.rows[0].cells].find((cell) => cell.textContent === "Gain");
  const gains = () => [...table.tBodies[0].rows].map((row) => row.cells[heading.cellIndex].textContent);
  const numbers = (texts) => texts.map((text) => parseFloat(text.replace("−", "-")));
  const ordered = (list, sign) => list.every((value, i) => i === 0 || isNaN(value) || sign * (value - list[i - 1]) >= 0);
  const said = [];
  for (const [order, sign] of [["descending", -1], ["ascending", 1]]) {
    heading.querySelector("button").click();
    const list = numbers(gains());
    const absent_last = !isNaN(list[0]) && list.lastIndexOf(list.findLast((v) => !isNaN(v))) < list.length;
    said.push(`${heading.getAttribute("aria-sort") === order} ${ordered(list, sign)} ${absent_last}`);
  }
  return said.join("; ");
)";
    const std::string document = loaded(replaced(page_, "</body>", with_action(action)));
    EXPECT_THAT(document, HasSubstr("<p id=\"said\">true true true; true true true</p>"));
}

TEST_F(Browser, LatenciesOfDifferentUnitsAreSortedByTheirSize) {
    const std::string rows =
        "<div class=\"scroll\"><table><thead><tr><th class=\"n\">Time</th></tr></thead><tbody>"
        "<tr><td>1.20 s</td></tr><tr><td>968 µs</td></tr><tr><td>1.07 ± 0.02 ms "
        "(predicted)</td></tr><tr><td>–</td></tr>"
        "<tr><td>1,024 µs</td></tr></tbody></table></div>";
    const std::string action = R"(
  const table = [...document.querySelectorAll("table")].find((one) => one.textContent.startsWith("Time"));
  table.querySelector("button").click();
  return [...table.tBodies[0].rows].map((row) => row.textContent).join("|");
)";
    const std::string page = replaced(page_, "</main>", rows + "</main>");
    const std::string document = loaded(replaced(page, "</body>", with_action(action)));
    EXPECT_THAT(document,
                HasSubstr("<p id=\"said\">1.20 s|1.07 ± 0.02 ms (predicted)|1,024 µs|968 µs|–</p>"));
}

TEST_F(Browser, LongTablesAreFiltered) {
    const std::string action = R"(
  const field = document.querySelector("#network-1 input[type=search]");
  const rows = [...document.querySelector("#network-1 table").tBodies[0].rows];
  field.value = "Stage2 conv";
  field.dispatchEvent(new Event("input"));
  const shown = rows.filter((row) => !row.hidden);
  const right = shown.every((row) => row.textContent.includes("stage2") && row.textContent.includes("conv"));
  const count = field.closest(".filter").querySelector("output").textContent;
  field.value = "";
  field.dispatchEvent(new Event("input"));
  return [shown.length > 0 && shown.length < rows.length, right, count === `${shown.length} of ${rows.length}`,
          rows.every((row) => !row.hidden)].join(" ");
)";
    const std::string document = loaded(replaced(page_, "</body>", with_action(action)));
    EXPECT_THAT(document, HasSubstr("<p id=\"said\">true true true true</p>"));
}

TEST_F(Browser, SaysInSightWhatFailed) {
    const std::string broken = replaced(page_, "data-chart=\"chart-2\" data-frame=\"frame-2\">",
                                        "data-chart=\"chart-2\" data-frame=\"frame-2\">AAAA");
    const std::string document = loaded(broken);
    EXPECT_THAT(document, HasSubstr("data-charts=\"10/11\""));
    EXPECT_THAT(document, HasSubstr("role=\"alert\">chart-2: "));
}

}  // namespace
}  // namespace hacscale::report
