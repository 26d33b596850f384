// A report's page in a real browser, for tests of what its scripts do; skipped with a reason where there is
// no browser.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>

#include "report/report.hpp"
#include "tests/report/sample_records.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale::report {

inline std::string output_of(const std::string& command) {
    std::FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) return {};
    std::string output;
    std::array<char, 65536> buffer{};
    for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
        output.append(buffer.data(), n);
    }
    ::pclose(pipe);
    return output;
}

inline std::string browser() {
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
    std::string loaded(const std::string& page, int width = 1200, bool dark = false,
                       const std::string& fragment = "") {
        write_text(folder_.path() / "page.html", page);
        return output_of(
            fmt::format("timeout 60 {} --headless=new --no-sandbox --disable-gpu --user-data-dir='{}' "
                        "--window-size={},2000 "
                        "{} --virtual-time-budget=8000 --dump-dom 'file://{}{}' 2>/dev/null",
                        browser_, (folder_.path() / "profile").string(), width,
                        dark ? "--blink-settings=preferredColorScheme=0" : "",
                        (folder_.path() / "page.html").string(), fragment));
    }

    static std::string replaced(std::string text, const std::string& from, const std::string& to) {
        const std::size_t at = text.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        return text.replace(at, from.size(), to);
    }

    testing::TempFolder folder_;
    std::string browser_;
    std::string page_;
};

// Runs `action` once the page stands; the text of the element with the id "said" is what it found.
inline std::string with_action(const std::string& action) {
    return "<p id=\"said\"></p><script>document.getElementById(\"said\").textContent = (() => {" + action +
           "})();</script></body>";
}

// The same once every chart is drawn. `action` may await.
inline std::string when_drawn(const std::string& action) {
    return R"(<p id="said"></p><script>
const drawn = setInterval(async () => {
  const [done, all] = (document.documentElement.dataset.charts ?? "").split("/");
  if (done !== all || !all) return;
  clearInterval(drawn);
  const said = document.getElementById("said");
  try { said.textContent = await (async () => {)" +
           action + R"(})(); } catch (error) { said.textContent = error; }
}, 50);</script></body>)";
}

}  // namespace hacscale::report
