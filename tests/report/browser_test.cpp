// The page in a real browser, where there is one: every chart draws, tooltips show, and failures are said in
// sight.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "report/report.hpp"
#include "tests/report/sample_records.hpp"

namespace hacscale::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string output_of(const std::string& command) {
    std::FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) return {};
    std::string output;
    std::array<char, 65536> buffer{};
    for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
        output.append(buffer.data(), n);
    ::pclose(pipe);
    return output;
}

std::string browser() {
    for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
        const std::string path = output_of(fmt::format("command -v {} 2>/dev/null", name));
        if (!path.empty()) return name;
    }
    return {};
}

class Browser : public ::testing::Test {
protected:
    void SetUp() override {
        browser_ = browser();
        if (browser_.empty()) GTEST_SKIP() << "no Chromium on this machine (apt-get install chromium)";
        write_sample_records(folder_.path(), {.models = {"resnet20-cifar"}, .budgets = {1.0}});
        write_report(folder_.path());
        page_ = read_text(folder_.path() / "report.html");
    }

    // The document after its scripts have run.
    std::string loaded(const std::string& page, int width = 1200) {
        write_text(folder_.path() / "page.html", page);
        return output_of(fmt::format(
            "timeout 60 {} --headless=new --no-sandbox --disable-gpu --user-data-dir='{}' "
            "--window-size={},2000 "
            "--virtual-time-budget=8000 --dump-dom 'file://{}' 2>/dev/null",
            browser_, (folder_.path() / "profile").string(), width, (folder_.path() / "page.html").string()));
    }

    static std::string replaced(std::string text, const std::string& from, const std::string& to) {
        const std::size_t at = text.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        return text.replace(at, from.size(), to);
    }

    TemporaryFolder folder_;
    std::string browser_;
    std::string page_;
};

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
        ++count;
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

TEST_F(Browser, SaysInSightWhatFailed) {
    const std::string broken = replaced(page_, "data-chart=\"chart-2\">{", "data-chart=\"chart-2\">{{");
    const std::string document = loaded(broken);
    EXPECT_THAT(document, HasSubstr("data-charts=\"10/11\""));
    EXPECT_THAT(document, HasSubstr("role=\"alert\">chart-2: "));
}

}  // namespace
}  // namespace hacscale::report
