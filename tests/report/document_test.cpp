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

#include "records/run_folder.hpp"
#include "report/networks.hpp"
#include "report/report.hpp"
#include "report/sections/sections.hpp"
#include "report/text/escape.hpp"
#include "report/text/numbers.hpp"
#include "tests/report/sample_records.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

records::RunRecords sample(const SampleOptions& options = {}) {
    testing::TempFolder folder;
    write_sample_records(folder.path(), options);
    return records::load_records(folder.path());
}

void visit(const std::vector<Section>& sections, const std::function<void(const Section&)>& at) {
    for (const Section& section : sections) {
        at(section);
        visit(section.sections, at);
    }
}

std::string html_of(const records::RunRecords& data) {
    std::ostringstream out;
    write_html(data, out);
    return out.str();
}

std::string markdown_of(const records::RunRecords& data) {
    std::ostringstream out;
    write_markdown(data, out);
    return out.str();
}

records::ComparisonRecord comparison_with(const std::function<void(records::ComparisonRecord&)>& change) {
    records::ComparisonRecord comparison = sample().comparisons[2];
    change(comparison);
    return comparison;
}

std::string spaced(const std::string& text) {
    static const std::regex no_break_space("\u00a0");
    return std::regex_replace(text, no_break_space, " ");
}

Answer answer(const records::ComparisonRecord& comparison) {
    const Answer answer = answer_of(comparison);
    return {spaced(answer.title), spaced(answer.sentence), spaced(answer.standing), spaced(answer.trust)};
}

records::StrategyRow& hacscale_of(records::ComparisonRecord& comparison) {
    for (records::StrategyRow& row : comparison.strategies) {
        if (row.strategy == "hacscale") return row;
    }
    throw std::logic_error("the sample has a hacscale row");
}

TEST(Answer, SaysWhatToDoWhatItBringsAndWhoComesSecond) {
    const Answer at_base = answer(sample().comparisons[2]);
    EXPECT_EQ(at_base.title, "resnet20-cifar at its latency (2.47 ms)");
    EXPECT_EQ(at_base.sentence, "stage3: 64 → 88 channels, 3 → 5 blocks.");
    EXPECT_THAT(at_base.standing,
                HasSubstr("It brings latency −0.20 % ± 0.81 % (2.46 ± 0.01 ms), utilization "
                          "×1.92 ± 0.02 (21.3 % → 41.0 %), parameters ×1.82."));
    EXPECT_THAT(at_base.standing, HasSubstr("Second comes width-on-edges: gain 0.190 against 0.440"));
    EXPECT_THAT(at_base.standing, HasSubstr("1 of 12 strategies keeps the base."));
    EXPECT_THAT(at_base.trust, HasSubstr("1.5 % too low."));
    EXPECT_THAT(at_base.trust, HasSubstr("of the predicted time is interpolated."));
    EXPECT_EQ(answer(sample().comparisons[3]).title, "resnet20-cifar (2.47 ms) with 6.5 % more latency");
}

TEST(Answer, DoesNotHideWhatSpeaksAgainstIt) {
    const auto with_status = [](records::StrategyStatus status) {
        return answer(comparison_with(
            [&](records::ComparisonRecord& comparison) { hacscale_of(comparison).status = status; }));
    };
    EXPECT_THAT(with_status(records::StrategyStatus::over_budget).sentence,
                HasSubstr("Nothing within the budget; over it: stage3"));
    EXPECT_THAT(with_status(records::StrategyStatus::over_budget).standing,
                HasSubstr("Within the budget most is gained by"));
    EXPECT_THAT(with_status(records::StrategyStatus::noisy).standing, HasSubstr("Second comes"))
        << "it is a choice all the same";
    EXPECT_THAT(with_status(records::StrategyStatus::infeasible).sentence,
                HasSubstr("No answer: infeasible"));
    const Answer unmeasured = answer(comparison_with(
        [](records::ComparisonRecord& comparison) { hacscale_of(comparison).measured_us.reset(); }));
    EXPECT_THAT(unmeasured.trust, HasSubstr("not yet measured"));
    const Answer beaten = answer(
        comparison_with([](records::ComparisonRecord& comparison) { comparison.strategies[0].gain = 9.0; }));
    EXPECT_THAT(beaten.standing, HasSubstr("More is gained by width-only: gain 9.00 against 0.440"));
    const Answer by_variant = answer(
        comparison_with([](records::ComparisonRecord& comparison) { comparison.strategies[8].gain = 9.0; }));
    EXPECT_THAT(by_variant.standing, HasSubstr("More is gained by hacscale-no-importance: gain 9.00"));
    const Answer far_off = answer(comparison_with(
        [](records::ComparisonRecord& comparison) { hacscale_of(comparison).predicted_us = 715.0; }));
    EXPECT_THAT(far_off.trust, HasSubstr("too low: more than 8 %, so do not rely on"));
    const Answer vague = answer(comparison_with(
        [](records::ComparisonRecord& comparison) { hacscale_of(comparison).latency_ratio_ci95 = 5.35; }));
    EXPECT_THAT(vague.trust, HasSubstr("known only to ± 535 %: measure again"));
    const Answer without =
        answer(comparison_with([](records::ComparisonRecord& comparison) { comparison.strategies.clear(); }));
    EXPECT_THAT(without.sentence, HasSubstr("no HACScale choice"));
}

TEST(Answer, WhereNothingIsToBeGainedASentenceSaysSo) {
    const auto kept = [](double utilization) {
        return answer(comparison_with([&](records::ComparisonRecord& comparison) {
            comparison.base.utilization = utilization;
            for (records::StrategyRow& row : comparison.strategies) {
                row.choice = comparison.base.choice;
                row.params = comparison.base.params;
                row.status = records::StrategyStatus::ok;
            }
        }));
    };
    EXPECT_THAT(kept(0.5).sentence, HasSubstr("Keep it as it is: HACScale found nothing better"));
    EXPECT_EQ(kept(0.92).sentence, "Keep it as it is: it already uses 92 % of the device’s peak.");
    EXPECT_EQ(kept(0.92).standing, "All strategies keep the base.");
}

TEST(Answer, SharesAboveThePeakAreDoubted) {
    records::RunRecords records = sample();
    EXPECT_EQ(build_document(records).warnings.size(), 2u);
    hacscale_of(records.comparisons[1]).utilization = 2.82;
    const Document document = build_document(records);
    ASSERT_EQ(document.warnings.size(), 3u);
    EXPECT_THAT(
        spaced(document.warnings[2].text),
        HasSubstr("Utilizations of up to 282 % (hacscale of mobilenetv2-0.35) are more than the peak"));
}

TEST(Document, HasEverySectionOfTheTableAndUniqueIds) {
    const Document document = build_document(sample());
    EXPECT_EQ(document.answers.size(), 1 + 4u) << "one of all, and one each";
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
    const records::RunRecords records = sample();
    const Document document = build_document(records);
    EXPECT_THAT(document.answers[0].sentence, HasSubstr("Over 4 comparisons"));
    const Section& first = document.sections[1].sections[0];
    EXPECT_EQ(std::get<Paragraph>(first.parts.front()).text, answer_of(records.comparisons[0]).sentence);
    EXPECT_THAT(document.trust, HasSubstr("24 networks measured beside the prediction"));

    records::RunRecords few = records;
    few.comparisons.resize(2);
    const Document short_document = build_document(few);
    EXPECT_EQ(short_document.answers.size(), 2u);
    EXPECT_TRUE(short_document.sections[1].sections[0].parts.empty());

    records::RunRecords none = records;
    for (records::ComparisonRecord& comparison : none.comparisons) comparison.strategies.clear();
    EXPECT_THAT(build_document(none).answers[0].sentence, HasSubstr("no choice of HACScale"));
}

TEST(Document, RowsFitTheirColumns) {
    visit(build_document(sample()).sections, [](const Section& section) {
        for (const Part& part : section.parts) {
            const Table* table = std::get_if<Table>(&part);
            if (table == nullptr) continue;
            for (const TableRow& row : table->rows) {
                EXPECT_EQ(row.cells.size(), table->columns.size()) << table->caption;
            }
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
    const records::RunRecords records = sample();
    const Document document = build_document(records);
    ASSERT_EQ(document.sections[0].id, "summary");
    const Table& table = std::get<Table>(document.sections[0].parts.front());
    ASSERT_EQ(table.rows.size(), records.comparisons.size());
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
        const records::ComparisonRecord& comparison = records.comparisons[i];
        const std::string& other = cell_of(table, i, "best_other").text;
        EXPECT_FALSE(other.starts_with("hacscale"));
        for (const records::StrategyRow& row : comparison.strategies) {
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
    records::RunRecords records = sample();
    for (records::ComparisonRecord& comparison : records.comparisons) comparison.strategies.clear();
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
    EXPECT_THAT(leaders, HasSubstr("more capacity at no more latency")) << "capacity is not worth";
    EXPECT_EQ(cell(0, "equal_to").text, "depth-only");
    EXPECT_EQ(spaced(cell(11, "latency_ratio").text), "−0.20 % ± 0.81 %");
    EXPECT_EQ(cell(11, "dominates").text, "base, width-only");
    EXPECT_EQ(std::get<std::string>(cell(11, "dominates").value), "base width-only");
    EXPECT_EQ(cell(11, "accuracy_pct").text, absent);
    EXPECT_EQ(cell(11, "accuracy_seeds").text, absent);
    const Table& matrix = std::get<Table>(section.parts[2]);
    EXPECT_TRUE(matrix.csv_file.empty()) << "the names are in verdict.csv";
    const auto place = [&](const std::string& name) {
        std::size_t i = 0;
        while (!matrix.rows.at(i).cells[0].text.ends_with(" " + name)) ++i;
        return i;
    };
    EXPECT_EQ(matrix.rows[place("hacscale")].cells[place("width-only") + 1].text, "more");
    EXPECT_EQ(matrix.rows[place("width-only")].cells[place("hacscale") + 1].text, "less");
    EXPECT_EQ(matrix.rows[place("width-only")].cells[place("uniform") + 1].text, "mixed");
}

TEST(Document, StrategiesThatChoseOneNetworkShareARowOfThePage) {
    records::RunRecords data = sample();
    records::ComparisonRecord& comparison = data.comparisons[0];
    for (const char* name : {"uniform", "fast"}) {
        for (records::StrategyRow& row : comparison.strategies) {
            if (row.strategy != name) continue;
            row = comparison.base;
            row.strategy = name;
        }
    }
    for (records::StrategyRow& row : comparison.strategies) {
        if (row.strategy != "hacscale-no-importance") continue;
        row = hacscale_of(comparison);
        row.strategy = "hacscale-no-importance";
    }
    const Section section = strategies_section({data, &comparison});
    const Table& table = std::get<Table>(section.parts.front());
    EXPECT_EQ(table.rows.size(), 13u) << "CSV and JSON keep one a strategy";
    EXPECT_EQ(table.page_rows.size(), 9u);
    EXPECT_EQ(table.rows[0].folded.label, "kept by 3 strategies");
    EXPECT_EQ(table.rows[0].folded.names, "depth-only, uniform, fast");
    const auto own = std::find_if(table.page_rows.begin(), table.page_rows.end(), [&](std::size_t row) {
        return table.rows[row].mark == RowMark::own_choice;
    });
    ASSERT_NE(own, table.page_rows.end());
    EXPECT_EQ(table.rows[*own].folded.names, "hacscale-no-importance");
    EXPECT_THAT(markdown_of(data), HasSubstr("base (kept by 3 strategies: depth-only, uniform, fast) |"));
    EXPECT_THAT(html_of(data),
                HasSubstr("<summary>kept by 3 strategies</summary>depth-only, uniform, fast<"));
    EXPECT_THAT(markdown_of(data), HasSubstr("hacscale, hacscale-no-importance |"));
    // The chart has a mark a network, and the legend says how many keep the base.
    for (const Part& part : section.parts) {
        const Chart* chart = std::get_if<Chart>(&part);
        if (chart == nullptr) continue;
        EXPECT_EQ(chart->legend.front().text, "keeps the base: 3 strategies");
        EXPECT_THAT(chart->spec, HasSubstr("hacscale + 1"));
    }
}

TEST(Document, ARunWithoutVerificationTakesErrorsFromItsComparisons) {
    const records::RunRecords data = sample({.with_verify = false});
    const Section section = prediction_section({data, nullptr});
    EXPECT_THAT(std::get<Paragraph>(section.parts[0]).text, HasSubstr("ended before it wrote verify.json"));
    EXPECT_EQ(checked_networks(data).size(), 2 * (9u + 10u))
        << "at the smaller budget one more keeps the base";
    EXPECT_EQ(checked_networks(data)[0].record.cache, CacheState::network);
    EXPECT_NEAR(records::error_share(checked_networks(data)[0].record), -0.015, 1e-9);
}

TEST(Document, AccuraciesStandWithDeviationAndSeeds) {
    records::RunRecords data = sample();
    for (records::ComparisonRecord& comparison : data.comparisons) {
        comparison.accuracies = records::AccuracyOrigin{"runs.db", "short", "abc", "def"};
        comparison.base.accuracy = records::AccuracyFigures{92.344, 0.123, 3};
        hacscale_of(comparison).accuracy = records::AccuracyFigures{93.0, std::nullopt, 1};
    }
    for (const std::string& text : {html_of(data), markdown_of(data)}) {
        EXPECT_THAT(text, HasSubstr("92.34 ± 0.12 % (3)"));
        EXPECT_THAT(text, HasSubstr("93.00 % (1)"));
        EXPECT_THAT(text, HasSubstr("with the recipe short"));
    }
}

TEST(Document, ARecordWithoutAVerdictSaysSo) {
    records::RunRecords data = sample();
    for (records::ComparisonRecord& comparison : data.comparisons) comparison.judged = false;
    EXPECT_THAT(markdown_of(data), HasSubstr("does not say which strategies are better"));
    for (records::ComparisonRecord& comparison : data.comparisons) {
        comparison.judged = true;
        comparison.base.measured_us.reset();
        for (records::StrategyRow& row : comparison.strategies) row.measured_us.reset();
    }
    EXPECT_THAT(markdown_of(data), HasSubstr("Nothing was measured"));
}

TEST(Document, AbsentRecordsAreNamedWithTheCommandThatMakesThem) {
    records::RunRecords data = sample({.with_verify = false, .with_table = false});
    for (records::ComparisonRecord& comparison : data.comparisons) {
        comparison.front.clear();
        comparison.layers.clear();
        comparison.staircases.clear();
        comparison.peak.reset();
    }
    for (const std::string& text : {html_of(data), markdown_of(data)}) {
        EXPECT_THAT(text, HasSubstr("hacscale table query"));
        EXPECT_THAT(text, HasSubstr("hacscale compare"));
    }
    data.comparisons.clear();
    EXPECT_THAT(markdown_of(data), HasSubstr("hacscale run SUITE"));
    EXPECT_THAT(markdown_of(data), HasSubstr("hacscale verify --all"));
    EXPECT_THAT(markdown_of(data), HasSubstr("can be trusted is not known"));
}

TEST(Document, SparseRowsAreWrittenWithDashes) {
    records::RunRecords data = sample();
    for (records::ComparisonRecord& comparison : data.comparisons) {
        for (records::StrategyRow& row : comparison.strategies) {
            records::StrategyRow sparse;
            sparse.strategy = row.strategy;
            sparse.status = records::StrategyStatus::failed;
            row = std::move(sparse);
        }
        for (records::LayerRow& layer : comparison.layers) layer.latency = {};
        for (records::StaircaseRow& staircase : comparison.staircases) staircase.free_width.reset();
    }
    EXPECT_THAT(html_of(data), HasSubstr("–"));
    EXPECT_THAT(markdown_of(data), HasSubstr("44 layers have no latency"));
}

TEST(Document, ShowsInnerWidthsWhereTheyWereChosen) {
    records::RunRecords data = sample();
    EXPECT_THAT(markdown_of(data), Not(HasSubstr("Inner widths")));
    for (records::ComparisonRecord& comparison : data.comparisons) {
        hacscale_of(comparison).choice->inner_widths = {{}, {24, 40, 40}, {64, 64, 64, 64, 64}};
    }
    EXPECT_THAT(markdown_of(data), HasSubstr("follow / 24, 40 × 2 / 64 × 5"));
    EXPECT_THAT(html_of(data), HasSubstr("follow / 24, 40 × 2 / 64 × 5"));
    EXPECT_THAT(answer(data.comparisons[2]).sentence, HasSubstr("stage2: inner widths of its own"));
    testing::TempFolder folder;
    write_csv(data, folder.path());
    EXPECT_THAT(read_text(folder.path() / "strategies.csv"), HasSubstr(",;24 40 40;64 64 64 64 64,"));
}

// Every cell: its text stands in HTML and Markdown, its value in the CSV file.
TEST(Document, NumbersStandAlikeInAllFormats) {
    const records::RunRecords data = sample({.layers = 8, .front_points = 10});
    testing::TempFolder folder;
    write_csv(data, folder.path());
    const std::string html = html_of(data);
    const std::string markdown = markdown_of(data);
    int cells = 0;
    visit(build_document(data).sections, [&](const Section& section) {
        for (const Part& part : section.parts) {
            const Table* table = std::get_if<Table>(&part);
            if (table == nullptr) continue;
            const std::string csv =
                table->csv_file.empty() ? std::string() : read_text(folder.path() / table->csv_file);
            for (std::size_t place = 0; place < table->rows.size(); ++place) {
                const TableRow& row = table->rows[place];
                const bool on_page = table->page_rows.empty() ||
                                     std::count(table->page_rows.begin(), table->page_rows.end(), place) > 0;
                for (std::size_t i = 0; i < row.cells.size(); ++i) {
                    ++cells;
                    const Cell& cell = row.cells[i];
                    if (on_page && table->columns[i].show != Show::csv_only) {
                        ASSERT_THAT(html, HasSubstr(html_escape(cell.text)));
                        ASSERT_THAT(markdown, HasSubstr(markdown_escape(cell.text)));
                    }
                    if (table->csv_file.empty()) continue;
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
