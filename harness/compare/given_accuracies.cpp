#include "harness/compare/given_accuracies.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/tabular/tabular.hpp"
#include "base/text/wording.hpp"
#include "harness/compare/accuracies.hpp"
#include "harness/compare/describe.hpp"
#include "records/run_folder.hpp"

namespace hacscale::harness {

namespace {

constexpr double max_percent = 100.0;

TabularFormat format_of(const std::filesystem::path& file) {
    if (const auto format = tabular_format_of(file)) {
        return *format;
    }
    throw InputError(fmt::format("{}: expected a name that ends in .csv or .json for a file of accuracies",
                                 file.string()));
}

void warn_of_others(const GivenAccuracies& given, const std::set<std::string>& found,
                    const std::vector<std::string>& known, Events& events) {
    std::vector<std::string> others;
    for (const std::string& network : given.networks()) {
        if (!found.contains(network)) {
            others.push_back(network);
        }
    }
    if (found.empty()) {
        throw InputError(fmt::format("{}: '{}' is no network of the comparison{}; its networks are {}",
                                     given.file().string(), others.front(),
                                     detail::did_you_mean(others.front(), known), fmt::join(known, ", ")));
    }
    if (!others.empty()) {
        events.warn(fmt::format("{}: no comparison has {}{}", given.file().string(), fmt::join(others, ", "),
                                detail::did_you_mean(others.front(), known)));
    }
}

std::vector<const records::StrategyRow*> rows_of(const records::ComparisonRecord& comparison) {
    std::vector<const records::StrategyRow*> rows{&comparison.base};
    for (const records::StrategyRow& row : comparison.strategies) {
        rows.push_back(&row);
    }
    return rows;
}

// The first name of each row.
std::vector<std::string> names_in(const records::ComparisonRecord& comparison) {
    std::vector<std::string> names;
    for (const records::StrategyRow* row : rows_of(comparison)) {
        names.push_back(names_of(comparison, *row).front());
    }
    return names;
}

}  // namespace

std::vector<std::string> names_of(const records::ComparisonRecord& comparison,
                                  const records::StrategyRow& row) {
    std::vector<std::string> names;
    if (&row == &comparison.base) {
        names.push_back(comparison.model + "-base");
    } else {
        names.push_back(scaled_name(comparison.model, row.strategy, comparison.budget_in_names()));
        names.push_back(
            fmt::format("{}-{}-{}", comparison.model, row.strategy, comparison.budget_in_names()));
    }
    if (!row.model_hash.empty()) {
        names.push_back(row.model_hash);
    }
    return names;
}

GivenAccuracies::GivenAccuracies(const std::filesystem::path& file) : file_(file) {
    const TabularFile content =
        read_tabular(file, format_of(file), "accuracies", {"network", "seed", "accuracy"});
    if (content.rows.empty()) {
        throw InputError(file.string() + ": has no rows");
    }
    double greatest = 0.0;
    for (const TabularRow& row : content.rows) {
        const std::string& network = row.text("network");
        const auto seed = static_cast<std::uint64_t>(
            row.integer_or("seed", 0, std::numeric_limits<std::int64_t>::max(), 0));
        const double accuracy = row.number("accuracy");
        if (!(accuracy >= 0.0 && accuracy <= max_percent)) {
            row.fail("accuracy", "percent, 0 to 100");
        }
        if (!percents_[network].emplace(seed, accuracy).second) {
            throw InputError(
                fmt::format("{}: {} has an accuracy for the seed {} already", row.place(), network, seed));
        }
        greatest = std::max(greatest, accuracy);
    }
    if (greatest <= 1.0) {
        throw InputError(
            fmt::format("{}: all accuracies are at most 1, and percents are expected: 92.4 instead of 0.924",
                        file.string()));
    }
}

std::vector<std::string> GivenAccuracies::networks() const {
    std::vector<std::string> names;
    for (const auto& [name, percents] : percents_) {
        names.push_back(name);
    }
    return names;
}

std::vector<std::string> GivenAccuracies::add_to(records::ComparisonRecord& comparison) const {
    std::set<std::string> found;
    // Rows that chose one network share its accuracies, under whichever of its names they are given.
    std::map<std::string, std::map<std::uint64_t, double>> by_network;
    const auto network_of = [&](const records::StrategyRow& row) {
        return row.model_hash.empty() ? names_of(comparison, row).front() : row.model_hash;
    };
    for (const records::StrategyRow* row : rows_of(comparison)) {
        for (const std::string& name : names_of(comparison, *row)) {
            const auto given = percents_.find(name);
            if (given == percents_.end() || !found.insert(name).second) {
                continue;
            }
            std::map<std::uint64_t, double>& percents = by_network[network_of(*row)];
            for (const auto& [seed, percent] : given->second) {
                if (!percents.emplace(seed, percent).second && percents.at(seed) != percent) {
                    throw InputError(
                        fmt::format("{}: {} has another accuracy for the seed {} under another name of the "
                                    "same network",
                                    file_.string(), name, seed));
                }
            }
        }
    }
    const auto enter = [&](records::StrategyRow& row) {
        row.accuracy.reset();
        const auto percents = by_network.find(network_of(row));
        if (percents != by_network.end()) {
            row.accuracy = figures_of(percents->second);
        }
    };
    enter(comparison.base);
    std::for_each(comparison.strategies.begin(), comparison.strategies.end(), enter);
    comparison.accuracies = records::AccuracyOrigin{.given_by = file_.string()};
    add_verdict(comparison);
    return {found.begin(), found.end()};
}

void add_accuracies(records::ComparisonRecord& comparison, const GivenAccuracies& given, Events& events) {
    const std::vector<std::string> found = given.add_to(comparison);
    warn_of_others(given, {found.begin(), found.end()}, names_in(comparison), events);
}

void add_accuracies_in_folder(const std::filesystem::path& folder, const GivenAccuracies& given,
                              Events& events) {
    std::set<std::string> found;
    std::vector<std::string> known;
    update_comparisons(
        folder,
        [&](records::ComparisonRecord& comparison) {
            const std::vector<std::string> more = names_in(comparison);
            known.insert(known.end(), more.begin(), more.end());
            records::ComparisonRecord with_given = comparison;
            const std::vector<std::string> names = given.add_to(with_given);
            found.insert(names.begin(), names.end());
            // A comparison that the file says nothing of keeps what it has.
            if (!names.empty()) {
                comparison = std::move(with_given);
            }
        },
        [&] { warn_of_others(given, found, known, events); });
}

}  // namespace hacscale::harness
