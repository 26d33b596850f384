#include "harness/compare/accuracies.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <set>

#include "base/error.hpp"
#include "harness/compare/verdict.hpp"
#include "records/record_file.hpp"
#include "records/run_folder.hpp"
#include "training/recipe.hpp"
#include "training/statistics.hpp"

namespace hacscale::harness {

namespace {

std::vector<records::StrategyRow*> rows_of(records::ComparisonRecord& comparison) {
    std::vector<records::StrategyRow*> rows{&comparison.base};
    for (records::StrategyRow& row : comparison.strategies) {
        rows.push_back(&row);
    }
    return rows;
}

records::AccuracyFigures figures_of(const std::map<std::uint64_t, double>& accuracy_by_seed) {
    std::vector<double> percents;
    for (const auto& [seed, accuracy] : accuracy_by_seed) {
        percents.push_back(100.0 * accuracy);
    }
    const MeanAndDeviation figure = mean_and_deviation(percents);
    records::AccuracyFigures figures;
    figures.seeds = static_cast<int>(percents.size());
    figures.mean = figure.mean;
    figures.deviation = figure.deviation;
    return figures;
}

}  // namespace

KnownAccuracies::KnownAccuracies(const std::filesystem::path& file, const std::string& recipe,
                                 bool may_be_absent)
    : file_(file) {
    const Recipe found = find_recipe(recipe);
    recipe_ = found.name;
    recipe_hash_ = recipe_hash(found);
    if (!may_be_absent || std::filesystem::exists(file)) {
        records_ = AccuracyRecords::open_to_read(file).all();
    }
}

void KnownAccuracies::add_to(records::ComparisonRecord& comparison) const {
    records::AccuracyOrigin origin{file_.string(), recipe_, recipe_hash_, ""};
    for (records::StrategyRow* row : rows_of(comparison)) {
        std::map<std::uint64_t, double> accuracy_by_seed;
        for (const AccuracyRecord& record : records_) {
            if (record.key.model_hash != row->model_hash || record.key.recipe_hash != recipe_hash_) {
                continue;
            }
            if (origin.data_hash.empty()) {
                origin.data_hash = record.key.data_hash;
            } else if (origin.data_hash != record.key.data_hash) {
                throw InputError(
                    fmt::format("{}: the networks compared were trained on different data, so their "
                                "accuracies do not compare; keep one file of records for each data set",
                                file_.string()));
            }
            accuracy_by_seed.emplace(record.key.seed, record.result.test_accuracy);
        }
        row->accuracy.reset();
        if (!accuracy_by_seed.empty()) {
            row->accuracy = figures_of(accuracy_by_seed);
        }
    }
    comparison.accuracies = std::move(origin);
    add_verdict(comparison);
}

std::vector<std::string> KnownAccuracies::other_recipes(const records::ComparisonRecord& comparison) const {
    std::set<std::string> hashes{comparison.base.model_hash};
    for (const records::StrategyRow& row : comparison.strategies) {
        hashes.insert(row.model_hash);
    }
    std::set<std::string> names;
    for (const AccuracyRecord& record : records_) {
        if (record.key.recipe_hash != recipe_hash_ && hashes.contains(record.key.model_hash)) {
            names.insert(record.key.recipe);
        }
    }
    return {names.begin(), names.end()};
}

void remove_accuracies(records::ComparisonRecord& comparison) {
    for (records::StrategyRow* row : rows_of(comparison)) {
        row->accuracy.reset();
    }
    comparison.accuracies.reset();
    add_verdict(comparison);
}

void add_accuracies(records::ComparisonRecord& comparison, const KnownAccuracies& known, Events& events) {
    known.add_to(comparison);
    const std::vector<std::string> others = known.other_recipes(comparison);
    if (comparison.accuracies->data_hash.empty() && !others.empty()) {
        events.warn(fmt::format(
            "{}: no accuracy is shown, because networks of {} were trained with the recipe {} and none "
            "with {}; --recipe chooses",
            comparison.accuracies->record, comparison.model, fmt::join(others, ", "), known.recipe()));
    }
}

void add_accuracies_in_folder(const std::filesystem::path& folder, const KnownAccuracies& known,
                              Events& events) {
    std::map<std::filesystem::path, records::ComparisonRecord> comparisons;
    for (const std::filesystem::path& file : records::comparison_files(folder)) {
        records::ComparisonRecord record = records::read_comparison(file);
        add_accuracies(record, known, events);
        comparisons.emplace(file, std::move(record));
    }
    if (comparisons.empty()) {
        throw InputError(
            fmt::format("{}: has no comparisons (compare-*.json) to enter accuracies into", folder.string()));
    }
    for (const auto& [file, record] : comparisons) {
        records::write_record(file, to_json(record));
    }
}

}  // namespace hacscale::harness
