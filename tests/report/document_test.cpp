// The document that all formats write: the answers, every section of the table, best marks, absent records;
// and that a table's numbers stand alike in HTML, Markdown and CSV.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <regex>
#include <set>
#include <sstream>

#include "report/records/loaders.hpp"
#include "report/report.hpp"
#include "report/sections/sections.hpp"
#include "report/text/escape.hpp"
#include "report/text/numbers.hpp"
#include "tests/report/sample_records.hpp"

namespace hacscale::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ReportData sample(const SampleOptions& options = {}) {
    TemporaryFolder folder;
    write_sample_records(folder.path(), options);
    return load_report(folder.path());
}

void visit(const std::vector<Section>& sections, const std::function<void(const Section&)>& at) {
    for (const Section& section : sections) {
        at(section);
        visit(section.sections, at);
    }
}

std::string html_of(const ReportData& data) {
    std::ostringstream out;
    write_html(data, out);
    return out.str();
}

std::string markdown_of(const ReportData& data) {
    std::ostringstream out;
    write_markdown(data, out);
    return out.str();
}

Comparison comparison_with(const std::function<void(Comparison&)>& change) {
    Comparison comparison = sample().comparisons[2];
    change(comparison);
    return comparison;
}

std::string spaced(const std::string& text) {
    static const std::regex no_break_space("\u00a0");
    return std::regex_replace(text, no_break_space, " ");
}

Answer answer(const Comparison& comparison) {
    Answer answer = answer_of(comparison, Device{"cpu", "Synthetic CPU", "0", {}});
    return {spaced(answer.sentence), spaced(answer.standing)};
}

StrategyRow& hacscale_of(Comparison& comparison) {
    for (StrategyRow& row : comparison.strategies) {
        if (row.strategy == "hacscale") return row;
    }
    throw std::logic_error("the sample has a hacscale row");
}

TEST(Answer, SaysWhatTheModelCanHaveAtItsLatency) {
    const Answer at_base = answer(sample().comparisons[2]);
    EXPECT_EQ(at_base.sentence,
              "At the latency resnet20-cifar has on Synthetic CPU (2.47 ms), it can have 1.95 times the "
              "MACs, 1.82 times the "
              "parameters and 1.92 times the hardware utilization (21.3 % → 41.0 %), by stage3 64 → 88 "
              "channels and 3 → 5 "
              "blocks.");
    EXPECT_THAT(at_base.standing, HasSubstr("−0.20 % against the base"));
    EXPECT_THAT(answer(sample().comparisons[3]).sentence,
                HasSubstr("With 6.5 % more latency than resnet20-cifar has"));
}

TEST(Answer, DoesNotHideWhatSpeaksAgainstIt) {
    const auto with_status = [](const char* status) {
        return answer(
            comparison_with([&](Comparison& comparison) { hacscale_of(comparison).status = status; }));
    };
    EXPECT_THAT(with_status("unverified").standing, HasSubstr("not yet measured"));
    EXPECT_THAT(with_status("over_budget").standing, HasSubstr("over the budget"));
    EXPECT_THAT(with_status("infeasible").sentence, HasSubstr("no answer: infeasible"));
    const Answer beaten =
        answer(comparison_with([](Comparison& comparison) { comparison.strategies[0].gain = 9.0; }));
    EXPECT_THAT(beaten.standing, HasSubstr("width-only has a higher gain"));
    const Answer same = answer(comparison_with([](Comparison& comparison) {
        hacscale_of(comparison).widths = comparison.base.widths;
        hacscale_of(comparison).depths = comparison.base.depths;
    }));
    EXPECT_THAT(same.sentence, HasSubstr("nothing better than the base"));
    const Answer without =
        answer(comparison_with([](Comparison& comparison) { comparison.strategies.clear(); }));
    EXPECT_THAT(without.sentence, HasSubstr("no HACScale choice"));
}

TEST(Document, HasEverySectionOfTheTableAndUniqueIds) {
    const Document document = build_document(sample());
    EXPECT_EQ(document.answers.size(), 1u) << "four would be a wall of text";
    EXPECT_EQ(document.warnings.size(), 2u);
    std::set<std::string> ids;
    visit(document.sections, [&](const Section& section) {
        EXPECT_TRUE(ids.insert(section.id).second) << section.id;
        EXPECT_FALSE(section.heading.empty()) << section.id;
        EXPECT_FALSE(section.parts.empty() && section.sections.empty()) << section.id;
    });
    for (const SectionEntry& entry : section_table()) {
        const bool found = std::any_of(ids.begin(), ids.end(), [&](const std::string& id) {
            return id.starts_with(std::string(entry.id));
        });
        EXPECT_TRUE(found) << entry.id;
    }
}

TEST(Document, TheTitleSaysOnceWhatAllOfItIsAbout) {
    SampleOptions options;
    options.device = "Synthetic CPU (2 threads)";
    EXPECT_EQ(build_document(sample(options)).subtitle,
              "Synthetic CPU (2 threads) (cpu) · batch 1 · dtype f32 · cache network");
}

TEST(Document, OfManyComparisonsEachOpensItsOwnSection) {
    const Records records = sample();
    const Document document = build_document(records);
    EXPECT_THAT(document.answers[0].sentence, HasSubstr("Over 4 comparisons"));
    const Section& first = document.sections[1].sections[0];
    EXPECT_EQ(std::get<Paragraph>(first.parts.front()).text,
              answer_of(records.comparisons[0], records.provenance.device).sentence);

    Records few = records;
    few.comparisons.resize(2);
    const Document short_document = build_document(few);
    EXPECT_EQ(short_document.answers.size(), 2u);
    EXPECT_TRUE(short_document.sections[1].sections[0].parts.empty());

    Records none = records;
    for (Comparison& comparison : none.comparisons) comparison.strategies.clear();
    EXPECT_THAT(build_document(none).answers[0].sentence, HasSubstr("no choice of HACScale"));
}

TEST(Document, RowsFitTheirColumns) {
    visit(build_document(sample()).sections, [](const Section& section) {
        for (const Part& part : section.parts) {
            const Table* table = std::get_if<Table>(&part);
            if (table == nullptr) continue;
            for (const TableRow& row : table->rows)
                EXPECT_EQ(row.cells.size(), table->columns.size()) << table->caption;
            for (const std::size_t index : table->page_rows) EXPECT_LT(index, table->rows.size());
        }
    });
}

const Cell& cell_of(const Table& table, std::size_t row, const std::string& column) {
    std::size_t i = 0;
    while (table.columns.at(i).csv_name != column) ++i;
    return table.rows.at(row).cells.at(i);
}

TEST(Document, OpensWithAllChoicesBesideTheBestOfTheOthers) {
    const Records records = sample();
    const Document document = build_document(records);
    ASSERT_EQ(document.sections[0].id, "summary");
    const Table& table = std::get<Table>(document.sections[0].parts.front());
    ASSERT_EQ(table.rows.size(), records.comparisons.size());
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
        const Comparison& comparison = records.comparisons[i];
        const std::string& other = cell_of(table, i, "best_other").text;
        EXPECT_FALSE(other.starts_with("hacscale"));
        for (const StrategyRow& row : comparison.strategies) {
            if (row.strategy.starts_with("hacscale") || !row.ok() || !row.gain) continue;
            const double best = std::get<double>(cell_of(table, i, "best_other_gain").value);
            if (row.strategy == other) {
                EXPECT_EQ(*row.gain, best);
            } else {
                EXPECT_LE(*row.gain, best) << row.strategy;
            }
        }
    }
}

TEST(Document, ARunWithoutAChoiceOfItsOwnSaysSoInTheSummary) {
    Records records = sample();
    for (Comparison& comparison : records.comparisons) comparison.strategies.clear();
    const Document document = build_document(records);
    EXPECT_THAT(std::get<Paragraph>(document.sections[0].parts.front()).text,
                HasSubstr("no HACScale choice"));
}

TEST(Document, TheStrategiesStartWithTheBaseAndKeepWhatFailed) {
    const Document document = build_document(sample());
    const Section& section = document.sections[1].sections[0].sections[0];
    const Table& table = std::get<Table>(section.parts.front());
    ASSERT_EQ(table.rows.size(), 13u);
    EXPECT_EQ(table.rows[0].mark, RowMark::base);
    EXPECT_EQ(table.rows[1].mark, RowMark::own_choice);
    EXPECT_EQ(table.rows.back().mark, RowMark::excluded);
    int best = 0;
    for (const TableRow& row : table.rows) {
        for (const Cell& cell : row.cells) {
            if (!cell.best) continue;
            ++best;
            EXPECT_NE(row.mark, RowMark::excluded);
            EXPECT_NE(row.mark, RowMark::base);
        }
    }
    EXPECT_EQ(best, 4);  // utilization, MACs, parameters and gain
    const std::string html = html_of(sample());
    for (const char* status : {"over budget", "infeasible", "unverified", "failed"}) {
        EXPECT_THAT(html, HasSubstr(fmt::format("{}: synthetic reason", status)));
    }
}

const Section& verdict_of(const Document& document) {
    return document.sections[1].sections[0].sections[1];
}

TEST(Document, TheVerdictNamesWhomAStrategyDominates) {
    const Document document = build_document(sample());
    const Section& section = verdict_of(document);
    EXPECT_EQ(section.heading, "Verdict");
    const std::string& leaders = std::get<Paragraph>(section.parts[0]).text;
    EXPECT_THAT(leaders, HasSubstr("hacscale."));
    EXPECT_THAT(leaders, Not(HasSubstr("width-only")));
    EXPECT_THAT(leaders, Not(HasSubstr("compound"))) << "it was not measured";
    const Table& table = std::get<Table>(section.parts[1]);
    ASSERT_EQ(table.rows.size(), 13u);
    const auto cell = [&](std::size_t row, const std::string& column) {
        std::size_t i = 0;
        while (table.columns[i].csv_name != column) ++i;
        return table.rows[row].cells[i];
    };
    EXPECT_EQ(cell(0, "equal_to").text, "depth-only");
    EXPECT_EQ(spaced(cell(11, "latency_ratio").text), "−0.20 % ± 0.81 %");
    EXPECT_EQ(cell(11, "dominates").text, "base, width-only");
    EXPECT_EQ(std::get<std::string>(cell(11, "dominates").value), "base width-only");
    EXPECT_EQ(cell(11, "accuracy_pct").text, absent);
    EXPECT_EQ(cell(11, "accuracy_seeds").text, absent);
}

TEST(Document, AccuraciesStandWithDeviationAndSeeds) {
    ReportData data = sample();
    for (Comparison& comparison : data.comparisons) {
        comparison.accuracy_recipe = "short";
        comparison.base.accuracy = 92.344;
        comparison.base.accuracy_deviation = 0.123;
        comparison.base.accuracy_seeds = 3;
        hacscale_of(comparison).accuracy = 93.0;
        hacscale_of(comparison).accuracy_seeds = 1;
    }
    for (const std::string& text : {html_of(data), markdown_of(data)}) {
        EXPECT_THAT(text, HasSubstr("92.34 ± 0.12 % (3)"));
        EXPECT_THAT(text, HasSubstr("93.00 % (1)"));
        EXPECT_THAT(text, HasSubstr("with the recipe short"));
    }
}

TEST(Document, ARecordWithoutAVerdictSaysSo) {
    ReportData data = sample();
    for (Comparison& comparison : data.comparisons) comparison.judged = false;
    EXPECT_THAT(markdown_of(data), HasSubstr("does not say which strategies dominate"));
    for (Comparison& comparison : data.comparisons) {
        comparison.judged = true;
        comparison.base.measured_us.reset();
        for (StrategyRow& row : comparison.strategies) row.measured_us.reset();
    }
    EXPECT_THAT(markdown_of(data), HasSubstr("Nothing was measured"));
}

TEST(Document, AbsentRecordsAreNamedWithTheCommandThatMakesThem) {
    ReportData data = sample({.with_verify = false, .with_table = false});
    for (Comparison& comparison : data.comparisons) {
        comparison.front.clear();
        comparison.layers.clear();
        comparison.staircases.clear();
        comparison.peak.reset();
    }
    for (const std::string& text : {html_of(data), markdown_of(data)}) {
        EXPECT_THAT(text, HasSubstr("hacscale verify --all"));
        EXPECT_THAT(text, HasSubstr("hacscale table query"));
        EXPECT_THAT(text, HasSubstr("hacscale compare"));
    }
    data.comparisons.clear();
    EXPECT_THAT(markdown_of(data), HasSubstr("hacscale run SUITE"));
}

TEST(Document, SparseRowsAreWrittenWithDashes) {
    ReportData data = sample();
    for (Comparison& comparison : data.comparisons) {
        for (StrategyRow& row : comparison.strategies) {
            row = StrategyRow{.strategy = row.strategy,
                              .status = "failed",
                              .reason = "",
                              .predicted_us = {},
                              .measured_us = {},
                              .ci95_us = {},
                              .latency_ratio = {},
                              .latency_ratio_ci95 = {},
                              .utilization = {},
                              .utilization_ratio = {},
                              .params = {},
                              .macs = {},
                              .memory_bytes = {},
                              .gain = {},
                              .widths = {},
                              .depths = {},
                              .inner_widths = {},
                              .resolution = {},
                              .accuracy = {},
                              .accuracy_deviation = {},
                              .accuracy_seeds = 0,
                              .dominates = {},
                              .equal_to = {},
                              .spec = ""};
        }
        for (LayerRecord& layer : comparison.layers) layer.latency_us.reset();
        for (Staircase& staircase : comparison.staircases) staircase.free_width.reset();
    }
    EXPECT_THAT(html_of(data), HasSubstr("–"));
    EXPECT_THAT(markdown_of(data), HasSubstr("44 layers have no latency"));
}

TEST(Document, ShowsInnerWidthsWhereTheyWereChosen) {
    ReportData data = sample();
    EXPECT_THAT(markdown_of(data), Not(HasSubstr("Inner widths")));
    for (Comparison& comparison : data.comparisons) {
        hacscale_of(comparison).inner_widths = {{}, {24, 40, 40}, {64, 64, 64, 64, 64}};
    }
    EXPECT_THAT(markdown_of(data), HasSubstr("follow / 24, 40 × 2 / 64 × 5"));
    EXPECT_THAT(html_of(data), HasSubstr("follow / 24, 40 × 2 / 64 × 5"));
    EXPECT_THAT(answer(data.comparisons[2]).sentence, HasSubstr("stage2 inner widths of its own"));
    TemporaryFolder folder;
    write_csv(data, folder.path());
    EXPECT_THAT(read_text(folder.path() / "strategies.csv"), HasSubstr(",;24 40 40;64 64 64 64 64,"));
}

// Every cell: its text stands in HTML and Markdown, its value in the CSV file.
TEST(Document, NumbersStandAlikeInAllFormats) {
    const ReportData data = sample({.layers = 8, .front_points = 10});
    TemporaryFolder folder;
    write_csv(data, folder.path());
    const std::string html = html_of(data);
    const std::string markdown = markdown_of(data);
    int cells = 0;
    visit(build_document(data).sections, [&](const Section& section) {
        for (const Part& part : section.parts) {
            const Table* table = std::get_if<Table>(&part);
            if (table == nullptr) continue;
            const std::string csv = read_text(folder.path() / table->csv_file);
            for (const TableRow& row : table->rows) {
                for (std::size_t i = 0; i < row.cells.size(); ++i) {
                    ++cells;
                    const Cell& cell = row.cells[i];
                    if (table->columns[i].show != Show::csv_only) {
                        ASSERT_THAT(html, HasSubstr(html_escape(cell.text)));
                        ASSERT_THAT(markdown, HasSubstr(markdown_escape(cell.text)));
                    }
                    if (const double* number = std::get_if<double>(&cell.value)) {
                        ASSERT_THAT(csv, HasSubstr(plain(*number)));
                    } else if (const std::string* text = std::get_if<std::string>(&cell.value)) {
                        ASSERT_THAT(csv, HasSubstr(csv_text(*text)));
                    }
                }
            }
        }
    });
    EXPECT_GT(cells, 1000);
}

}  // namespace
}  // namespace hacscale::report
