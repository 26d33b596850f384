// The files that come out: self-contained, escaped, small, and parsable as what they claim to be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "base/error.hpp"
#include "report/report.hpp"
#include "tests/report/sample_records.hpp"
#include "tests/report/unpacked.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::size_t occurrences(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) {
        ++count;
    }
    return count;
}

// The data blocks inside a page: the element's attributes, and its JSON.
struct Block {
    std::string attributes;
    std::string text;
};

std::vector<Block> blocks_of(const std::string& html) {
    static const std::string opening = "<script type=\"application/";
    std::vector<Block> blocks;
    for (std::size_t at = html.find(opening); at != std::string::npos; at = html.find(opening, at + 1)) {
        const std::size_t start = html.find('>', at) + 1;
        Block block{html.substr(at + opening.size(), start - at - opening.size() - 1),
                    html.substr(start, html.find("</script>", start) - start)};
        if (block.attributes.starts_with("gzip")) block.text = unpacked(block.text);
        blocks.push_back(std::move(block));
    }
    return blocks;
}

// Rows of a CSV text, quoted fields understood.
std::vector<std::vector<std::string>> csv_rows(const std::string& text) {
    std::vector<std::vector<std::string>> rows;
    std::vector<std::string> row(1);
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
            row.back() += c;
            ++i;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (c == ',' && !quoted) {
            row.emplace_back();
        } else if (c == '\n' && !quoted) {
            rows.push_back(row);
            row.assign(1, "");
        } else {
            row.back() += c;
        }
    }
    return rows;
}

class Formats : public ::testing::Test {
protected:
    void write(const SampleOptions& options = {}) {
        write_sample_records(folder_.path(), options);
        paths_ = write_report(folder_.path());
        html_ = read_text(folder_.path() / "report.html");
        markdown_ = read_text(folder_.path() / "report.md");
    }

    testing::TempFolder folder_;
    std::vector<std::filesystem::path> paths_;
    std::string html_;
    std::string markdown_;
};

TEST_F(Formats, WritesEveryFileThatItNames) {
    write();
    std::set<std::string> names;
    for (const auto& path : paths_) {
        EXPECT_TRUE(std::filesystem::exists(path)) << path;
        names.insert(path.filename().string());
    }
    for (const char* name :
         {"report.html", "report.md", "report.json", "kernels.csv", "layer_differences.csv", "strategies.csv",
          "front.csv", "layers.csv", "staircases.csv", "contributions.csv", "free_steps.csv", "peak.csv",
          "verify.csv"}) {
        EXPECT_TRUE(names.contains(name)) << name;
    }
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
        EXPECT_NE(entry.path().extension(), ".partial");
    }
}

TEST_F(Formats, ThePageReachesForNothingOutside) {
    write();
    EXPECT_THAT(html_, HasSubstr("default-src 'none'"));
    EXPECT_EQ(occurrences(html_, "<link"), 0u);
    EXPECT_EQ(occurrences(html_, "@import"), 0u);
    EXPECT_EQ(occurrences(html_, "sourceMappingURL"), 0u);
    static const std::regex reference(R"re(<[a-z]+[^<>]*\s(src|href)\s*=\s*["']?([^"'\s>]+))re");
    const std::string page =
        html_.substr(0, html_.find("<script>"));  // the elements before the chart library
    for (auto match = std::sregex_iterator(page.begin(), page.end(), reference);
         match != std::sregex_iterator(); ++match) {
        EXPECT_EQ((*match)[2].str().front(), '#') << match->str();
    }
}

TEST_F(Formats, TheStructureIsSound) {
    write();
    EXPECT_EQ(occurrences(html_, "<h1"), 1u);
    EXPECT_EQ(occurrences(html_, "<table>"), occurrences(html_, "<caption"));
    EXPECT_EQ(occurrences(html_, "<section"), occurrences(html_, "</section>"));
    EXPECT_EQ(occurrences(html_, "<figure>"), occurrences(html_, "role=\"img\" aria-label=\""));
    EXPECT_EQ(occurrences(html_, "<div"), occurrences(html_, "</div>"));
    static const std::regex heading("<h([1-6])");
    int level = 0;
    for (auto match = std::sregex_iterator(html_.begin(), html_.end(), heading);
         match != std::sregex_iterator(); ++match) {
        const int next = std::stoi((*match)[1].str());
        EXPECT_LE(next, level + 1) << "a heading level is skipped";
        level = next;
    }
}

TEST_F(Formats, ManyModelsStayBelowThreeMegabytes) {
    write({.models = {"a", "b", "c", "d", "e", "f"}, .layers = 60, .front_points = 1500});
    EXPECT_LT(html_.size(), 3'000'000u);
}

TEST_F(Formats, EverySpecificationIsVegaWithMarksAndData) {
    write();
    std::size_t charts = 0;
    std::set<std::string> frames;
    for (const Block& block : blocks_of(html_)) {
        const nlohmann::json json = nlohmann::json::parse(block.text);
        static const std::regex frame_id("id=\"(frame-[0-9]+)\"");
        static const std::regex frame_used("data-frame=\"(frame-[0-9]+)\"");
        std::smatch match;
        if (std::regex_search(block.attributes, match, frame_used)) {
            ++charts;
            EXPECT_TRUE(frames.contains(match[1])) << "a frame stands before the charts that use it";
            EXPECT_FALSE(json.at("data").empty());
        } else if (std::regex_search(block.attributes, match, frame_id)) {
            frames.insert(match[1]);
            EXPECT_FALSE(json.at("marks").empty());
            EXPECT_EQ(json.at("autosize"), "none");
            EXPECT_TRUE(json.at("padding").contains("left"));
        }
    }
    // Six a budget, a staircase a stage, two of the prediction.
    EXPECT_EQ(charts, 4 * 6 + 2 * 3 + 2u);
    EXPECT_EQ(occurrences(html_, "class=\"chart\""), charts);
    EXPECT_LT(frames.size(), charts / 3) << "charts of one kind share a frame";
}

TEST_F(Formats, MarkupInTheRecordsStaysText) {
    const std::string hostile =
        "</script><script>alert(1)</script><img src=x onerror=alert(2)><!-- | `x` \"'&\u2028";
    write({.hostile = hostile});
    EXPECT_EQ(occurrences(html_, "<script>alert"), 0u);
    EXPECT_EQ(occurrences(html_, "<img"), 0u);
    EXPECT_EQ(occurrences(html_, "<!--"), 0u);
    EXPECT_THAT(html_, HasSubstr("&lt;img src=x onerror=alert(2)&gt;"));
    EXPECT_EQ(occurrences(html_, "<script"), occurrences(html_, "</script>"));
    for (const Block& block : blocks_of(html_)) EXPECT_TRUE(nlohmann::json::accept(block.text));
    // In Markdown only the fenced model file holds it unescaped, where it is code.
    std::string prose = markdown_;
    for (std::size_t at = prose.find("```"); at != std::string::npos; at = prose.find("```")) {
        prose.erase(at, prose.find("```", at + 3) + 3 - at);
    }
    EXPECT_THAT(prose, Not(HasSubstr("<img")));
    EXPECT_THAT(prose, Not(HasSubstr("<script")));
}

TEST_F(Formats, CsvRowsAreRectangular) {
    write({.hostile = ", \"quoted\"\nnext"});
    int files = 0;
    for (const auto& path : paths_) {
        if (path.extension() != ".csv") continue;
        ++files;
        const auto rows = csv_rows(read_text(path));
        ASSERT_GT(rows.size(), 1u) << path;
        for (const auto& row : rows) EXPECT_EQ(row.size(), rows.front().size()) << path;
    }
    EXPECT_EQ(files, 14);
    const auto strategies = csv_rows(read_text(folder_.path() / "strategies.csv"));
    EXPECT_EQ(strategies.size(), 1 + 4 * 13u);  // all models and budgets in one file
    EXPECT_EQ(strategies[0][0], "model");
    for (const char* column : {"images_per_s", "p95_us", "p99_us"}) {
        EXPECT_NE(std::find(strategies[0].begin(), strategies[0].end(), column), strategies[0].end());
    }
    EXPECT_EQ(strategies[1][0], "mobilenetv2-0.35, \"quoted\"\nnext");
}

TEST_F(Formats, AFolderThatCannotBeWrittenIsAnError) {
    write_sample_records(folder_.path());
    std::filesystem::create_directories(folder_.path() / "report.html" / "in the way");
    EXPECT_THROW(write_report(folder_.path()), WorkError);
}

}  // namespace
}  // namespace hacscale::report
