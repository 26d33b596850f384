#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "report/sections/phrases.hpp"
#include "report/sections/sections.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

std::string opening_of(const Comparison& comparison, const Device& device) {
    const StrategyRow& base = comparison.base;
    const std::string time = base.latency_us() ? fmt::format(" ({})", latency(*base.latency_us())) : "";
    if (comparison.budget == 1.0) {
        return fmt::format("At the latency {} has on {}{}", comparison.model, device.name, time);
    }
    if (comparison.budget > 1.0) {
        return fmt::format("With {} more latency than {} has on {}{}", short_percent(comparison.budget - 1.0),
                           comparison.model, device.name, time);
    }
    return fmt::format("At {} of the latency {} has on {}{}", short_percent(comparison.budget),
                       comparison.model, device.name, time);
}

std::string growth_of(const StrategyRow& base, const StrategyRow& choice) {
    std::vector<std::string> parts;
    if (base.macs && choice.macs) parts.push_back(significant(*choice.macs / *base.macs) + " times the MACs");
    if (base.params && choice.params) {
        parts.push_back(significant(*choice.params / *base.params) + " times the parameters");
    }
    if (base.utilization && choice.utilization) {
        const double times = choice.utilization_ratio.value_or(*choice.utilization / *base.utilization);
        parts.push_back(fmt::format("{} times the hardware utilization ({} → {})", significant(times),
                                    percent(*base.utilization), percent(*choice.utilization)));
    }
    if (parts.empty()) return "the size given below";
    std::string text = parts.front();
    for (std::size_t i = 1; i < parts.size(); ++i)
        text += (i + 1 == parts.size() ? " and " : ", ") + parts[i];
    return text;
}

std::string standing_of(const Comparison& comparison, const StrategyRow& choice) {
    if (choice.status == "unverified")
        return "This is predicted from the table and not yet measured on the device.";
    if (choice.status == "over_budget") {
        return choice.latency_ratio ? fmt::format("But it was measured at {} of latency, over the budget.",
                                                  signed_percent(*choice.latency_ratio - 1.0))
                                    : std::string("But it is over the budget.");
    }
    std::string text;
    if (choice.latency_ratio) {
        const std::string time =
            choice.measured_us ? latency(*choice.measured_us, choice.ci95_us) + ", " : "";
        text = fmt::format("Measured: {}{} against the base. ", time,
                           signed_percent(*choice.latency_ratio - 1.0));
    }
    if (!choice.gain) return text;
    const StrategyRow* better = nullptr;
    int rivals = 0;
    for (const StrategyRow& row : comparison.strategies) {
        if (!row.ok() || !row.gain || row.strategy == choice.strategy) continue;
        ++rivals;
        if (*row.gain > *choice.gain && (better == nullptr || *row.gain > *better->gain)) better = &row;
    }
    if (better != nullptr) {
        return text + fmt::format("The strategy {} has a higher gain within the budget ({} against {}).",
                                  better->strategy, significant(*better->gain), significant(*choice.gain));
    }
    if (rivals > 0) {
        text += fmt::format("No other of the {} strategies within the budget has a higher gain.", rivals + 1);
    }
    return text;
}

bool gains_most(const Comparison& comparison, const StrategyRow& choice) {
    return std::none_of(comparison.strategies.begin(), comparison.strategies.end(),
                        [&](const StrategyRow& row) {
                            return row.ok() && row.gain.value_or(0.0) > choice.gain.value_or(0.0);
                        });
}

std::string spread_of(const std::vector<double>& ratios) {
    const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
    return fmt::format("{} ({} to {})", significant(median(ratios)), significant(*least), significant(*most));
}

}  // namespace

Answer answer_of_all(const std::vector<Comparison>& comparisons, const Device& device) {
    std::vector<double> utilizations;
    std::vector<double> params;
    std::size_t within = 0;
    std::size_t best = 0;
    for (const Comparison& comparison : comparisons) {
        const StrategyRow* choice = comparison.hacscale();
        if (choice == nullptr || !choice->ok()) continue;
        ++within;
        best += gains_most(comparison, *choice) ? 1 : 0;
        if (choice->utilization_ratio) utilizations.push_back(*choice->utilization_ratio);
        if (choice->params && comparison.base.params)
            params.push_back(*choice->params / *comparison.base.params);
    }
    const std::string opening = fmt::format("Over {} comparisons on {}", comparisons.size(), device.name);
    if (utilizations.empty() || params.empty())
        return {opening + ", no choice of HACScale was measured within its budget.", ""};
    return {fmt::format("{}, HACScale’s choice has {} times the base’s hardware utilization and {} times its "
                        "parameters: medians, and in brackets the least and the greatest.",
                        opening, spread_of(utilizations), spread_of(params)),
            fmt::format(
                "It was measured within the latency budget in {} of them, and in {} no other strategy "
                "within the budget gains more. The table has each; the sections below say what was changed.",
                within, best)};
}

Answer answer_of(const Comparison& comparison, const Device& device) {
    const std::string opening = opening_of(comparison, device);
    const StrategyRow* choice = comparison.hacscale();
    if (choice == nullptr)
        return {opening + ", this run holds no HACScale choice, only the other strategies.", ""};
    if (choice->status == "infeasible" || choice->status == "failed") {
        const std::string reason = choice->reason.empty() ? "no reason was recorded" : choice->reason;
        return {
            fmt::format("{}, HACScale has no answer: {} ({}).", opening, status_text(choice->status), reason),
            ""};
    }
    const std::string changes = changes_of(comparison, *choice);
    if (changes.empty()) return {opening + ", HACScale found nothing better than the base itself.", ""};
    return {fmt::format("{}, it can have {}, by {}.", opening, growth_of(comparison.base, *choice), changes),
            standing_of(comparison, *choice)};
}

}  // namespace hacscale::report
