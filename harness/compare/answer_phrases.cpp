#include "harness/compare/answer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "base/text/lines.hpp"
#include "models/formats/formats.hpp"
#include "models/stages/scaled_model.hpp"

namespace hacscale::harness {

namespace {

// Gains are sums of rounded logarithms: below this nothing is gained.
constexpr double least_gain = 1e-6;

std::string change(int from, int to, const char* what) {
    return from == to ? "" : fmt::format("{} -> {} {}", from, to, what);
}

std::string list_change(const char* what, const std::vector<int>& from, const std::vector<int>& to) {
    return from == to ? "" : fmt::format("{} {} -> {}", what, fmt::join(from, ","), fmt::join(to, ","));
}

std::string joined(const std::vector<std::string>& parts, const char* separator) {
    std::string text;
    for (const std::string& part : parts) {
        if (!part.empty()) {
            text += (text.empty() ? "" : separator) + part;
        }
    }
    return text;
}

std::string by_stage(const records::ComparisonRecord& record, const ScalingChoice& base,
                     const ScalingChoice& choice) {
    std::vector<std::string> stages;
    for (std::size_t i = 0; i < choice.widths.size(); ++i) {
        const bool own_inner = i < choice.inner_widths.size() && !choice.inner_widths[i].empty();
        const std::string changes = joined(
            {change(base.widths[i], choice.widths[i], "channels"),
             change(base.depths[i], choice.depths[i], "blocks"), own_inner ? "inner widths of its own" : ""},
            ", ");
        if (!changes.empty()) {
            stages.push_back(fmt::format("{}: {}", record.stages.at(i), changes));
        }
    }
    return joined(stages, "; ");
}

// Of a network without stages, whose widths are many: the greatest changes first.
constexpr std::size_t changes_in_words = 4;

std::vector<std::string> greatest_changes(const std::vector<std::string>& names, const std::vector<int>& from,
                                          const std::vector<int>& to, const char* what) {
    std::vector<std::size_t> changed;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (from[i] != to[i]) {
            changed.push_back(i);
        }
    }
    const auto size = [&](std::size_t i) {
        return std::abs(std::log(static_cast<double>(std::max(to[i], 1)) / std::max(from[i], 1)));
    };
    std::stable_sort(changed.begin(), changed.end(),
                     [&](std::size_t a, std::size_t b) { return size(a) > size(b); });
    std::vector<std::string> words;
    for (std::size_t k = 0; k < std::min(changed.size(), changes_in_words); ++k) {
        const std::size_t i = changed[k];
        words.push_back(fmt::format("{}: {}", names[i], change(from[i], to[i], what)));
    }
    if (changed.size() > changes_in_words) {
        words.push_back(fmt::format("and {} more of {}", changed.size() - changes_in_words, names.size()));
    }
    return words;
}

std::string by_group(const records::ComparisonRecord& record, const ScalingChoice& base,
                     const ScalingChoice& choice) {
    return joined({joined(greatest_changes(record.width_names, base.widths, choice.widths, "channels"), "; "),
                   joined(greatest_changes(record.depth_names, base.depths, choice.depths, "blocks"), "; ")},
                  "; ");
}

std::string as_lists(const ScalingChoice& base, const ScalingChoice& choice) {
    return joined({list_change("channels", base.widths, choice.widths),
                   list_change("blocks", base.depths, choice.depths),
                   choice.inner_widths.empty() ? "" : "inner widths of their own"},
                  "; ");
}

// Relative half-width of the ratio's interval; nothing for a prediction.
std::optional<double> relative_noise(const records::StrategyRow& row) {
    return row.latency_ratio && row.latency_ratio_ci95
               ? std::optional(*row.latency_ratio_ci95 / *row.latency_ratio)
               : std::nullopt;
}

std::string latency_change(const records::ComparisonRecord& record, const records::StrategyRow& row) {
    if (row.latency_ratio) {
        return fmt::format("latency {:+.1f} +- {:.1f} %", 100.0 * (*row.latency_ratio - 1.0),
                           100.0 * row.latency_ratio_ci95.value_or(0.0));
    }
    return row.predicted_us && record.base.predicted_us
               ? fmt::format("latency {:+.1f} % (predicted)",
                             100.0 * (*row.predicted_us / *record.base.predicted_us - 1.0))
               : "";
}

std::string utilization_change(const records::StrategyRow& row) {
    if (!row.utilization_ratio) {
        return "";
    }
    const std::optional<double> noise = relative_noise(row);
    return fmt::format("utilization x{:.2f}{}", *row.utilization_ratio,
                       noise ? fmt::format(" +- {:.2f}", *noise * *row.utilization_ratio) : "");
}

std::string params_change(const records::ComparisonRecord& record, const records::StrategyRow& row) {
    return row.params && record.base.params
               ? fmt::format("params x{:.2f}",
                             static_cast<double>(*row.params) / static_cast<double>(*record.base.params))
               : "";
}

std::string accuracy_change(const records::ComparisonRecord& record, const records::StrategyRow& row) {
    if (!row.accuracy || !record.base.accuracy) {
        return "";
    }
    return fmt::format("accuracy {:.2f} -> {:.2f} %", record.base.accuracy->mean, row.accuracy->mean);
}

// Of each stage; none where a record has a text that this program does not read.
std::vector<int> groups_in(const std::string& spec) {
    try {
        return groups_of(parse_model(spec, "record"));
    } catch (const InputError&) {
        return {};
    }
}

// Of sqrt(params x MACs), counted.
std::optional<double> capacity_ratio(const records::ComparisonRecord& record,
                                     const records::StrategyRow& row) {
    if (!row.params || !row.macs || !record.base.params || !record.base.macs) {
        return std::nullopt;
    }
    return std::sqrt(static_cast<double>(*row.params) / static_cast<double>(*record.base.params) *
                     static_cast<double>(*row.macs) / static_cast<double>(*record.base.macs));
}

}  // namespace

bool shrinks(const records::ComparisonRecord& record) {
    return record.budget < 1.0;
}

bool keeps_base(const records::ComparisonRecord& record, const records::StrategyRow& row) {
    return row.choice && row.choice == record.base.choice;
}

std::vector<std::string> keepers_of_base(const records::ComparisonRecord& record) {
    std::vector<std::string> names;
    for (const records::StrategyRow& row : record.strategies) {
        if (keeps_base(record, row)) {
            names.push_back(row.strategy);
        }
    }
    return names;
}

std::vector<const records::StrategyRow*> ranked(const records::ComparisonRecord& record) {
    std::vector<const records::StrategyRow*> rows;
    for (const records::StrategyRow& row : record.strategies) {
        const bool counts =
            row.status == records::StrategyStatus::ok || row.status == records::StrategyStatus::unverified;
        const double lead = row.gain.value_or(0.0) - record.base.gain.value_or(0.0);
        const bool worth_it = shrinks(record) ? !keeps_base(record, row) : lead > least_gain;
        if (counts && row.choice && worth_it) {
            rows.push_back(&row);
        }
    }
    std::stable_sort(
        rows.begin(), rows.end(), [](const records::StrategyRow* a, const records::StrategyRow* b) {
            if (a->measured_us.has_value() != b->measured_us.has_value()) {
                return a->measured_us.has_value();
            }
            const double a_gain = a->gain.value_or(-std::numeric_limits<double>::infinity());
            const double b_gain = b->gain.value_or(-std::numeric_limits<double>::infinity());
            const bool as_good = a_gain == b_gain || std::abs(a_gain - b_gain) <= least_gain;
            return as_good ? a->strategy == "hacscale" && b->strategy != "hacscale" : a_gain > b_gain;
        });
    std::vector<const records::StrategyRow*> networks;
    for (const records::StrategyRow* row : rows) {
        const bool is_new =
            std::none_of(networks.begin(), networks.end(),
                         [&](const records::StrategyRow* known) { return known->choice == row->choice; });
        if (is_new) {
            networks.push_back(row);
        }
    }
    return networks;
}

std::string changes_text(const records::ComparisonRecord& record, const ScalingChoice& choice) {
    const ScalingChoice& base = *record.base.choice;
    const std::string pixels = change(base.resolution, choice.resolution, "pixels");
    if (!record.width_names.empty()) {
        return by_group(record, base, choice);
    }
    const std::string text = joined({by_stage(record, base, choice), pixels}, "; ");
    return text.size() <= 2 * answer_columns - 40 ? text : joined({as_lists(base, choice), pixels}, "; ");
}

std::string group_changes_text(const records::ComparisonRecord& record, const records::StrategyRow& row) {
    if (row.spec.empty() || record.base.spec.empty()) {
        return "";
    }
    const std::vector<int> from = groups_in(record.base.spec);
    const std::vector<int> to = groups_in(row.spec);
    std::vector<std::string> stages;
    for (std::size_t i = 0; i < from.size() && i < to.size() && i < record.stages.size(); ++i) {
        if (from[i] != to[i]) {
            stages.push_back(fmt::format("{}: {} -> {} groups", record.stages[i], from[i], to[i]));
        }
    }
    return stages.empty() ? "" : joined(stages, "; ") + " (--keep groups keeps them)";
}

std::string gain_text(const records::ComparisonRecord& record, const records::StrategyRow& row) {
    const double gain = row.gain.value_or(0.0);
    if (record.gain_origin == "capacity") {
        return fmt::format("capacity x{:.2f}", std::exp(gain));
    }
    const std::optional<double> capacity =
        record.gain_is_of_size() ? capacity_ratio(record, row) : std::nullopt;
    return joined({shrinks(record) && gain < 0.0 ? fmt::format("loss {:.3f}", -gain)
                                                 : fmt::format("gain {:+.3f}", gain),
                   capacity ? fmt::format("capacity x{:.2f}", *capacity) : ""},
                  ", ");
}

std::string costs_text(const records::ComparisonRecord& record, const records::StrategyRow& row) {
    return joined({latency_change(record, row), utilization_change(row), params_change(record, row)}, ", ");
}

std::string elsewhere_text(const records::ComparisonRecord& record, const records::StrategyRow& row) {
    std::vector<std::string> parts;
    for (const records::OtherLatency& other : row.elsewhere) {
        parts.push_back(
            other.latency_ratio
                ? fmt::format("in {} latency {:+.1f} %{}", other.runtime,
                              100.0 * (*other.latency_ratio - 1.0),
                              records::keeps_budget_there(record, other) ? "" : ", over the budget")
                : fmt::format("in {} it was not timed: {}", other.runtime, other.reason));
    }
    return joined(parts, "; ");
}

std::string brings_text(const records::ComparisonRecord& record, const records::StrategyRow& row) {
    return joined({costs_text(record, row), gain_text(record, row), accuracy_change(record, row)}, ", ");
}

}  // namespace hacscale::harness
