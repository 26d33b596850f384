#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "report/networks.hpp"
#include "report/sections/phrases.hpp"
#include "report/sections/sections.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

constexpr double busy_utilization = 0.85;      // above it hardly anything is left to gain
constexpr double max_error = 0.08;             // of the prediction, as docs/method.md wants it at worst
constexpr double max_ratio_half_width = 0.05;  // a wider interval decides nothing

std::string title_of(const records::ComparisonRecord& comparison) {
    const std::optional<double> base_us = comparison.base.latency_us();
    const std::string time = base_us ? fmt::format(" ({})", latency(*base_us)) : "";
    if (comparison.budget == 1.0) return fmt::format("{} at its latency{}", comparison.model, time);
    if (comparison.budget > 1.0) {
        return fmt::format("{}{} with {} more latency", comparison.model, time,
                           short_percent(comparison.budget - 1.0));
    }
    return fmt::format("{}{} at {} of its latency", comparison.model, time, short_percent(comparison.budget));
}

// Its latency's interval is the utilization's, too: FLOPs and peak have none.
std::string utilization_of(const records::StrategyRow& base, const records::StrategyRow& choice) {
    const double times = choice.utilization_ratio.value_or(*choice.utilization / *base.utilization);
    std::string text = ratio(times);
    if (choice.latency_ratio && choice.latency_ratio_ci95.value_or(0.0) > 0.0) {
        text += fmt::format("\u00a0±\u00a0{}",
                            significant(times * *choice.latency_ratio_ci95 / *choice.latency_ratio, 1));
    }
    return fmt::format("{} ({} → {})", text, percent(*base.utilization), percent(*choice.utilization));
}

std::string gains_of(const records::StrategyRow& base, const records::StrategyRow& choice) {
    std::vector<std::string> parts;
    if (choice.latency_ratio) {
        parts.push_back("latency " + percent_change(*choice.latency_ratio - 1.0, choice.latency_ratio_ci95));
        if (choice.measured_us) {
            parts.back() += fmt::format(" ({})", latency(*choice.measured_us, choice.ci95_us));
        }
    }
    if (base.utilization && choice.utilization) {
        parts.push_back("utilization " + utilization_of(base, choice));
    }
    if (const auto times = over(choice.params, base.params)) parts.push_back("parameters " + ratio(*times));
    if (base.accuracy && choice.accuracy) {
        parts.push_back(
            fmt::format("accuracy {:.2f} → {:.2f}\u00a0%", base.accuracy->mean, choice.accuracy->mean));
    }
    if (parts.empty()) return {};
    return fmt::format("It brings {}. ", fmt::join(parts, ", "));
}

// The strategy of most gain within the budget besides the choice and the base; a variant of HACScale only
// where it gains more.
const records::StrategyRow* rival_of(const records::ComparisonRecord& comparison,
                                     const records::StrategyRow& choice) {
    const records::StrategyRow* best = nullptr;
    for (const records::StrategyRow& row : comparison.strategies) {
        if (!row.ok() || !row.gain) continue;
        const bool variant = row.strategy.starts_with("hacscale");
        if (variant && *row.gain <= choice.gain.value_or(0.0)) continue;
        if (keeps_base(comparison, row) || same_network(row, choice)) continue;
        if (best == nullptr || *row.gain > *best->gain) best = &row;
    }
    return best;
}

std::string rival_in_words(const records::ComparisonRecord& comparison, const records::StrategyRow& choice) {
    const records::StrategyRow* rival = rival_of(comparison, choice);
    if (rival == nullptr) return {};
    const double own = choice.gain.value_or(0.0);
    const std::string change = rival->latency_ratio
                                   ? fmt::format(" at {} latency", percent_change(*rival->latency_ratio - 1.0,
                                                                                  rival->latency_ratio_ci95))
                                   : std::string();
    const bool loses = comparison.budget < 1.0;
    const std::string place =
        choice.status == records::StrategyStatus::over_budget
            ? loses ? "Within the budget least is lost by" : "Within the budget most is gained by"
        : *rival->gain > own  ? loses ? "Less is lost by" : "More is gained by"
        : *rival->gain == own ? loses ? "As much is lost by" : "As much is gained by"
                              : "Second comes";
    const double sign = loses ? -1.0 : 1.0;
    return fmt::format("{} {}: {} {} against {}{}. ", place, rival->strategy, loses ? "loss" : "gain",
                       significant(sign * *rival->gain), significant(sign * own), change);
}

std::string keepers_of(const records::ComparisonRecord& comparison) {
    const std::size_t kept = count_keeping_base(comparison);
    const std::size_t all = comparison.strategies.size();
    if (kept == 0) return {};
    if (kept == all) return "All strategies keep the base.";
    return fmt::format("{} of {} strategies keep{} the base.", kept, all, kept == 1 ? "s" : "");
}

// The share of the choice's predicted time that no row was measured for; 0 where nothing is known of it.
double interpolated_share(const records::ComparisonRecord& comparison) {
    double all_us = 0.0;
    double interpolated_us = 0.0;
    for (const records::LayerRow& layer : comparison.layers) {
        if (layer.spec != "hacscale" || !layer.latency_us()) continue;
        all_us += *layer.latency_us();
        if (layer.latency.kind == EstimateKind::interpolated) interpolated_us += *layer.latency_us();
    }
    return all_us > 0.0 ? interpolated_us / all_us : 0.0;
}

std::string trust_of(const records::ComparisonRecord& comparison, const records::StrategyRow& choice) {
    std::string text;
    if (!choice.measured_us) {
        text = "This is predicted from the table and not yet measured on the device. ";
    } else if (choice.predicted_us) {
        const double error = *choice.predicted_us / *choice.measured_us - 1.0;
        text = fmt::format("The table predicted {}, {}\u00a0% too {}{}", latency(*choice.predicted_us),
                           significant(100.0 * std::abs(error), 2), error < 0.0 ? "low" : "high",
                           std::abs(error) > max_error
                               ? fmt::format(": more than {}, so do not rely on its other predictions here. ",
                                             short_percent(max_error))
                               : std::string(". "));
    }
    const double share = interpolated_share(comparison);
    if (share >= 0.01) {
        text += fmt::format("{} of the predicted time is interpolated. ", percent_whole(share));
    }
    if (choice.latency_ratio_ci95.value_or(0.0) > max_ratio_half_width) {
        text += fmt::format(
            "The ratio of latencies is known only to ±\u00a0{}: measure again before relying on it. ",
            percent_whole(*choice.latency_ratio_ci95));
    }
    return text;
}

std::string without_space_at_end(std::string text) {
    if (text.ends_with(' ')) text.pop_back();
    return text;
}

Answer kept_answer(const records::ComparisonRecord& comparison, const records::StrategyRow& choice) {
    Answer answer{.title = title_of(comparison), .sentence = {}};
    const double utilization = comparison.base.utilization.value_or(0.0);
    answer.sentence =
        utilization >= busy_utilization
            ? fmt::format("Keep it as it is: it already uses {} of the device’s peak.",
                          percent_whole(utilization))
            : std::string("Keep it as it is: HACScale found nothing better within this budget.");
    answer.standing = without_space_at_end(rival_in_words(comparison, choice) + keepers_of(comparison));
    return answer;
}

bool gains_most(const records::ComparisonRecord& comparison, const records::StrategyRow& choice) {
    return std::none_of(comparison.strategies.begin(), comparison.strategies.end(),
                        [&](const records::StrategyRow& row) {
                            return row.ok() && row.gain && *row.gain > choice.gain.value_or(0.0);
                        });
}

std::string spread_of(const std::vector<double>& ratios) {
    const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
    return fmt::format("{} ({} to {})", significant(median(ratios)), significant(*least), significant(*most));
}

}  // namespace

Answer answer_of_all(const std::vector<records::ComparisonRecord>& comparisons, const DeviceRecord& device) {
    std::vector<double> utilizations;
    std::vector<double> params;
    std::size_t within = 0;
    std::size_t best = 0;
    for (const records::ComparisonRecord& comparison : comparisons) {
        const records::StrategyRow* choice = comparison.hacscale();
        if (choice == nullptr || !choice->ok()) continue;
        ++within;
        best += gains_most(comparison, *choice) ? 1 : 0;
        if (choice->utilization_ratio) utilizations.push_back(*choice->utilization_ratio);
        if (choice->params && comparison.base.params) {
            params.push_back(*over(choice->params, comparison.base.params));
        }
    }
    const std::string opening = fmt::format("Over {} comparisons on {}", comparisons.size(), device.name);
    if (utilizations.empty() || params.empty()) {
        return {.sentence = opening + ", no choice of HACScale was measured within its budget."};
    }
    return {
        .sentence =
            fmt::format("{}, HACScale’s choice has {} times the base’s hardware utilization and {} times its "
                        "parameters: medians, and in brackets the least and the greatest.",
                        opening, spread_of(utilizations), spread_of(params)),
        .standing = fmt::format("It was measured within the latency budget in {} of them, and in {} no other "
                                "strategy within the budget gains more or loses less.",
                                within, best)};
}

Answer answer_of(const records::ComparisonRecord& comparison) {
    Answer answer{.title = title_of(comparison), .sentence = {}};
    const records::StrategyRow* choice = comparison.hacscale();
    if (choice == nullptr) {
        answer.sentence = "This run holds no HACScale choice, only the other strategies.";
        return answer;
    }
    if (!choice->has_answer()) {
        const std::string reason = choice->reason.empty() ? "no reason was recorded" : choice->reason;
        answer.sentence = fmt::format("No answer: {} ({}).", status_text(name_of(choice->status)), reason);
        return answer;
    }
    const std::string changes = changes_of(comparison, *choice);
    if (changes.empty()) return kept_answer(comparison, *choice);
    const bool over = choice->status == records::StrategyStatus::over_budget;
    answer.sentence = over ? fmt::format("Nothing within the budget; over it: {}.", changes) : changes + ".";
    answer.standing = without_space_at_end(gains_of(comparison.base, *choice) +
                                           rival_in_words(comparison, *choice) + keepers_of(comparison));
    answer.trust = without_space_at_end(trust_of(comparison, *choice));
    return answer;
}

std::string trust_in_table(const records::RunRecords& records) {
    const std::vector<records::VerifiedModel> networks = checked_networks(records);
    std::vector<double> errors;
    for (const records::VerifiedModel& network : networks)
        errors.push_back(std::abs(records::error_share(network.record)));
    if (errors.empty()) {
        return "How far the table can be trusted is not known: no network was measured beside its "
               "prediction.";
    }
    return fmt::format(
        "How far the table can be trusted: over {} network{} measured beside the prediction, it was "
        "{}\u00a0% "
        "off in the median and {}\u00a0% at worst.",
        errors.size(), errors.size() == 1 ? "" : "s", significant(100.0 * median(errors), 2),
        significant(100.0 * *std::max_element(errors.begin(), errors.end()), 2));
}

}  // namespace hacscale::report
