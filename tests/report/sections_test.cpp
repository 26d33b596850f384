// Sections that gather what the records have in several places: kernels, occupancies, accuracies, differing
// layers.
#include "report/sections/sections.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "report/report.hpp"
#include "report/sections/phrases.hpp"
#include "tests/report/sample_records.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale::report {
namespace {

using ::testing::HasSubstr;

records::RunRecords sample_report(const SampleOptions& options = {}) {
    testing::TempFolder folder;
    write_sample_records(folder.path(), options);
    return records::load_records(folder.path());
}

const Cell& cell_in(const Table& table, std::size_t row, const std::string& column) {
    std::size_t i = 0;
    while (table.columns.at(i).csv_name != column) ++i;
    return table.rows.at(row).cells.at(i);
}

double number_of(const Table& table, std::size_t row, const std::string& column) {
    return std::get<double>(cell_in(table, row, column).value);
}

const Table& first_table(const Section& section) {
    for (const Part& part : section.parts) {
        if (const Table* table = table_of(part)) return *table;
    }
    throw std::logic_error(section.heading + " has a table");
}

std::vector<std::string> charts_of(const Section& section) {
    std::vector<std::string> titles;
    for (const Part& part : section.parts) {
        if (const Chart* chart = std::get_if<Chart>(&part)) titles.push_back(chart->title);
    }
    return titles;
}

// Smaller than what a double holds with all its digits.
TEST(Sections, DrawATinyPeak) {
    records::RunRecords records = sample_report();
    records::ComparisonRecord& comparison = records.comparisons[0];
    comparison.peak->bytes_per_s = 1e-312;
    EXPECT_EQ(charts_of(roofline_section({records, &comparison})),
              (std::vector<std::string>{"Layers under the roof"}));
}

TEST(Sections, KernelsShareTheTimeOfTheirNetwork) {
    records::RunRecords records = sample_report();
    records::ComparisonRecord& comparison = records.comparisons[0];
    comparison.layers[0].implementation = "winograd";
    comparison.layers[0].latency.latency_us = 5000.0;
    const Section section = kernels_section({records, &comparison});
    const Table& table = first_table(section);
    ASSERT_EQ(table.rows.size(), 3u);
    EXPECT_EQ(cell_in(table, 0, "implementation").text, "winograd")
        << "the one that takes most of the base's time";
    EXPECT_EQ(number_of(table, 0, "layers"), 1.0);
    EXPECT_EQ(number_of(table, 1, "layers"), 21.0);
    EXPECT_NEAR(number_of(table, 0, "share") + number_of(table, 1, "share"), 1.0, 1e-12);
    EXPECT_EQ(number_of(table, 2, "share"), 1.0);
    EXPECT_EQ(cell_in(table, 2, "spec").text, "hacscale");
    EXPECT_TRUE(std::holds_alternative<std::monostate>(cell_in(table, 0, "occupancy_achieved").value));

    for (records::LayerRow& layer : comparison.layers) layer.implementation.clear();
    EXPECT_THAT(std::get<Paragraph>(kernels_section({records, &comparison}).parts.front()).text,
                HasSubstr("no implementations"));
}

TEST(Sections, OccupanciesComeFromTheRowsThatLayersWereReadFrom) {
    testing::TempFolder folder;
    write_sample_records(folder.path(), {.models = {"one"}, .budgets = {1.0}});
    const auto file = folder.path() / "compare-one-1.json";
    const nlohmann::json layer = nlohmann::json::parse(read_text(file))["layers"][2];
    write_text(folder.path() / "table.json", nlohmann::json{{{"layer", layer["key"]},
                                                             {"batch", 1},
                                                             {"dtype", "f32"},
                                                             {"cache", "network"},
                                                             {"latency_us", layer["latency_us"]},
                                                             {"ci95_us", 0.5},
                                                             {"status", "ok"},
                                                             {"reason", ""},
                                                             {"occupancy_theoretical", 0.75},
                                                             {"occupancy_achieved", 0.5}}}
                                                 .dump());
    const records::RunRecords records = records::load_records(folder.path());
    const Section section = network_section({records, &records.comparisons[0]});
    EXPECT_EQ(charts_of(section).size(), 2u) << "one by utilization, one by occupancy";
    EXPECT_EQ(number_of(first_table(section), 2, "occupancy_achieved"), 0.5);
    EXPECT_EQ(number_of(first_table(section), 2, "occupancy_theoretical"), 0.75);
    const Section kernels = kernels_section({records, &records.comparisons[0]});
    EXPECT_EQ(number_of(first_table(kernels), 0, "occupancy_achieved"), 0.5);
    const records::RunRecords without = sample_report();
    EXPECT_EQ(charts_of(network_section({without, &without.comparisons[0]})).size(), 1u);
}

// Each dimension looks its own way, and the legend says which; what no step has is not in it.
TEST(Sections, ContributionsHaveALegendOfTheirDimensions) {
    records::RunRecords records = sample_report();
    records::ComparisonRecord& comparison = records.comparisons[0];
    const auto legend_of = [&] {
        const Section section = contributions_section({records, &comparison});
        std::vector<std::string> swatches;
        for (const LegendEntry& entry : std::get<Chart>(section.parts.front()).legend) {
            swatches.push_back(entry.swatch);
        }
        return swatches;
    };
    const Section section = contributions_section({records, &comparison});
    EXPECT_EQ(cell_in(first_table(section), 6, "step").text, "stage3 block 1 inner width");
    const std::vector<std::string> with{"dot hacscale",  "square second", "triangle base",
                                        "diamond inner", "ring ink",      "dash limit"};
    EXPECT_EQ(legend_of(), with);
    // The mark of each dimension has the legend's shape and colour.
    const nlohmann::json spec = nlohmann::json::parse(std::get<Chart>(section.parts.front()).spec);
    const nlohmann::json& scales = spec.at("scales");
    ASSERT_EQ(scales[0].at("domain").back(), "inner_width");
    EXPECT_EQ(scales[0].at("range").back(), "var(--inner)");
    EXPECT_EQ(scales[1].at("range").back(), "diamond");

    for (records::ContributionsRow& network : comparison.contributions) {
        std::erase_if(network.network.steps,
                      [](const Contribution& step) { return step.dimension == StepDimension::inner_width; });
    }
    EXPECT_THAT(legend_of(), ::testing::Not(::testing::Contains("diamond inner")));
    EXPECT_EQ(legend_of().size(), with.size() - 1);
}

TEST(Sections, LegendsOfStrategiesHaveTheKindsThatAreThere) {
    records::RunRecords records = sample_report();
    records::ComparisonRecord& comparison = records.comparisons[0];
    const auto swatches = [&](const Section& section) {
        std::vector<std::string> found;
        for (const Part& part : section.parts) {
            const Chart* chart = std::get_if<Chart>(&part);
            if (chart == nullptr) continue;
            for (const LegendEntry& entry : chart->legend) found.push_back(entry.swatch);
        }
        return found;
    };
    using ::testing::Contains;
    EXPECT_THAT(swatches(strategies_section({records, &comparison})), Contains("cross excluded"));
    EXPECT_THAT(swatches(front_section({records, &comparison})), Contains("cross excluded"));
    std::erase_if(comparison.strategies, [](const records::StrategyRow& row) { return !row.ok(); });
    const std::vector<std::string> kinds{"square base", "dot hacscale", "dot baseline", "dash limit"};
    EXPECT_EQ(swatches(strategies_section({records, &comparison})), kinds);
    EXPECT_THAT(swatches(front_section({records, &comparison})), Contains("square base"));
    EXPECT_THAT(swatches(front_section({records, &comparison})), ::testing::Not(Contains("cross excluded")));
}

// A network without stages has too many widths for a sentence or a column.
TEST(Sections, ManyWidthsHaveATableOfTheirOwn) {
    records::RunRecords records = sample_report();
    records::ComparisonRecord& comparison = records.comparisons[0];
    records::StrategyRow* choice = nullptr;
    for (records::StrategyRow& row : comparison.strategies) {
        if (row.strategy == "hacscale") choice = &row;
    }
    ASSERT_NE(choice, nullptr);
    comparison.stages.clear();
    comparison.depth_names = {"layer1.0"};
    comparison.base.choice = ScalingChoice{.widths = {}, .depths = {3}, .resolution = 32};
    choice->choice = ScalingChoice{.widths = {}, .depths = {3}, .resolution = 32};
    for (int i = 0; i < 20; ++i) {
        comparison.width_names.push_back("layer" + std::to_string(i));
        comparison.base.choice->widths.push_back(64);
        choice->choice->widths.push_back(i < 15 ? 64 - 2 * i : 64);
    }
    EXPECT_EQ(
        changes_of(comparison, *choice),
        "layer14: 64 → 36 channels; layer13: 64 → 38 channels; layer12: 64 → 40 channels; layer11: 64 → 42 "
        "channels; and 10 more of 20 groups of channels");
    const Section section = strategies_section({records, &comparison});
    const Table* changes = nullptr;
    for (const Part& part : section.parts) {
        if (const Table* table = table_of(part)) changes = table;
    }
    ASSERT_NE(changes, nullptr);
    ASSERT_EQ(changes->rows.size(), 14U);
    EXPECT_TRUE(changes->folded);
    EXPECT_EQ(cell_in(*changes, 0, "layer").text, "layer1");
    EXPECT_EQ(number_of(*changes, 0, "choice"), 62.0);
    comparison.contributions.clear();
    comparison.staircases.clear();
    for (const Section& none :
         {contributions_section({records, &comparison}), staircases_section({records, &comparison})}) {
        EXPECT_THAT(std::get<Paragraph>(none.parts.front()).command, HasSubstr("hacscale advise"));
    }
    for (const Column& column : first_table(section).columns) {
        if (column.csv_name == "widths") {
            EXPECT_EQ(column.show, Show::csv_only);
        } else if (column.csv_name == "depths") {
            EXPECT_EQ(column.show, Show::everywhere);
        }
    }
}

TEST(Sections, AccuraciesStandBestFirstWithPointsOverTheBase) {
    records::RunRecords records = sample_report();
    records::ComparisonRecord& comparison = records.comparisons[0];
    EXPECT_THAT(std::get<Paragraph>(accuracy_section({records, &comparison}).parts.front()).text,
                HasSubstr("not measured"));
    comparison.base.accuracy = records::AccuracyFigures{91.5, 0.2, 3};
    comparison.strategies[0].accuracy = records::AccuracyFigures{92.25, std::nullopt, 1};
    const Section section = accuracy_section({records, &comparison});
    EXPECT_EQ(charts_of(section).size(), 1u);
    const Table& table = first_table(section);
    ASSERT_EQ(table.rows.size(), 2u);
    EXPECT_EQ(cell_in(table, 0, "strategy").text, comparison.strategies[0].strategy);
    EXPECT_EQ(cell_in(table, 0, "over_base_points").text, "+0.75");
    EXPECT_EQ(cell_in(table, 1, "accuracy_deviation_points").text, "0.20");
}

// Two strategies chose one network, and a record may have the accuracy at either.
TEST(Sections, AnAccuracyThatOnlyOneOfTheRowsOfANetworkHasIsDrawn) {
    records::RunRecords records = sample_report();
    records::ComparisonRecord& comparison = records.comparisons[0];
    records::StrategyRow twin = comparison.base;
    twin.strategy = "keeps-the-base";
    twin.accuracy = records::AccuracyFigures{91.5, 0.2, 3, {60.0, 91.0}};
    comparison.strategies.push_back(twin);
    const Section section = accuracy_section({records, &comparison});
    EXPECT_EQ(charts_of(section), (std::vector<std::string>{"Accuracy after training", "How they learned"}));
    for (const Part& part : section.parts) {
        if (const Chart* chart = std::get_if<Chart>(&part)) {
            EXPECT_THAT(chart->spec, HasSubstr("91")) << chart->title;
        }
    }
}

TEST(Sections, TrainedNetworksHaveTheirLearningCurves) {
    records::RunRecords records = sample_report();
    records::ComparisonRecord& comparison = records.comparisons[0];
    const auto own = std::find_if(comparison.strategies.begin(), comparison.strategies.end(),
                                  [](const auto& row) { return row.strategy == "hacscale"; });
    ASSERT_NE(own, comparison.strategies.end());
    comparison.base.accuracy = records::AccuracyFigures{91.5, 0.2, 3, {60.0, 91.0}};
    own->accuracy = records::AccuracyFigures{92.25, std::nullopt, 1, {62.0, 92.0}};
    own->matched_base = records::AccuracyFigures{91.75, 0.1, 3, {60.0, 80.0, 91.5}};
    const Section section = accuracy_section({records, &comparison});
    EXPECT_EQ(charts_of(section).back(), "How they learned");
    const auto spec = nlohmann::json::parse(std::get<Chart>(section.parts.back()).spec);
    std::map<std::string, int> epochs;
    for (const auto& datum : spec.at("data").at(0).at("values"))
        ++epochs[datum.at("strategy").get<std::string>()];
    EXPECT_EQ(epochs.at("base, as many FLOPs"), 3);
    EXPECT_EQ(epochs.size(), 3U);
    const Table& table = first_table(section);
    EXPECT_EQ(cell_in(table, 0, "over_matched_base_points").text, "+0.50");
    EXPECT_EQ(cell_in(table, 1, "over_matched_base_points").text, "\u2013");
    EXPECT_NEAR(number_of(table, 0, "matched_base_accuracy_pct"), 91.75, 1e-12);
    const auto shown = [](const Table& of) {
        return std::find_if(
                   of.columns.begin(), of.columns.end(),
                   [](const Column& column) { return column.csv_name == "over_matched_base_points"; })
            ->show;
    };
    EXPECT_EQ(shown(table), Show::everywhere);
    own->matched_base = comparison.base.accuracy;
    const Section without = accuracy_section({records, &comparison});
    EXPECT_EQ(shown(first_table(without)), Show::csv_only) << "the base's own accuracy says nothing more";
}

TEST(Sections, LayersOfTwoNetworksStandByShareOfTime) {
    records::RunRecords records = sample_report();
    records::ComparisonRecord& comparison = records.comparisons[0];
    comparison.layers[4].latency.latency_us = 10000.0;  // of the base
    const std::string slowest = comparison.layers[4].name;
    std::erase_if(comparison.layers, [&](const records::LayerRow& layer) {
        return layer.spec == "hacscale" && layer.name == slowest;
    });
    const Section section = layer_differences_section({records, &comparison});
    const Table& table = first_table(section);
    EXPECT_EQ(cell_in(table, 0, "name").text, slowest);
    EXPECT_EQ(number_of(table, 0, "change_us"), -10000.0) << "what the other lacks counts in full";
    EXPECT_TRUE(std::holds_alternative<std::monostate>(cell_in(table, 0, "to_us").value));

    comparison.strategy_layers.clear();
    EXPECT_THAT(std::get<Paragraph>(layer_differences_section({records, &comparison}).parts.front()).text,
                HasSubstr("alone"));
    comparison.layers.clear();
    EXPECT_THAT(std::get<Paragraph>(layer_differences_section({records, &comparison}).parts.front()).text,
                HasSubstr("Left out"));
}

}  // namespace
}  // namespace hacscale::report
