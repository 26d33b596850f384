#include "report/side_by_side/side_by_side.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "report/sections/phrases.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

// "B takes ×0.62 of A's latency (×0.41 to ×0.80 over 7 networks)"; empty where they share no network.
std::string latency_clause(const Runs& runs, std::size_t run) {
    double log_sum = 0.0;
    std::vector<double> ratios;
    for (const std::string& model : networks_of(runs)) {
        const auto first = figures_of(runs.front(), model);
        const auto here = figures_of(runs[run], model);
        if (!first || !here) continue;
        ratios.push_back(ratio_of(*first, *here).ratio);
        log_sum += std::log(ratios.back());
    }
    if (ratios.empty()) return {};
    const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
    const double mean = std::exp(log_sum / static_cast<double>(ratios.size()));
    if (ratios.size() == 1) {
        return fmt::format("{} takes {} the latency of A on one network", letter_of(run), ratio(mean));
    }
    return fmt::format("{} takes {} the latency of A ({} to {} over {} networks)", letter_of(run),
                       ratio(mean), significant(*least), significant(*most), ratios.size());
}

std::optional<double> utilization_gain(const records::RunRecords& run) {
    std::vector<double> ratios;
    for (const records::ComparisonRecord& comparison : run.comparisons) {
        const records::StrategyRow* own = comparison.hacscale();
        if (own != nullptr && own->ok() && own->utilization_ratio) ratios.push_back(*own->utilization_ratio);
    }
    return ratios.empty() ? std::nullopt : std::optional(median(std::move(ratios)));
}

Answer answer_of(const Runs& runs) {
    std::vector<std::string> clauses;
    for (std::size_t i = 1; i < runs.size(); ++i) {
        if (std::string clause = latency_clause(runs, i); !clause.empty()) {
            clauses.push_back(std::move(clause));
        }
    }
    Answer answer;
    answer.sentence = clauses.empty() ? "The runs share rows of their tables, but no whole network."
                                      : fmt::format("{}.", fmt::join(clauses, "; "));
    std::vector<std::string> gains;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        if (const auto gain = utilization_gain(runs[i])) {
            gains.push_back(fmt::format("{} on {}", ratio(*gain), letter_of(i)));
        }
    }
    if (!gains.empty()) {
        answer.standing = fmt::format(
            "HACScale’s choices within the budget raise hardware utilization by {} (medians). Ratios of "
            "several "
            "networks are geometric means.",
            fmt::join(gains, ", "));
    }
    return answer;
}

}  // namespace

Document build_side_by_side(const Runs& runs) {
    Document document;
    document.title = "HACScale, side by side";
    const std::vector<std::string> names = names_of(runs);
    for (std::size_t i = 0; i < runs.size(); ++i) {
        document.subtitle += fmt::format("{}{}: {}", i == 0 ? "" : " · ", letter_of(i), names[i]);
        for (const std::string& warning : runs[i].provenance.warnings) {
            document.warnings.push_back({letter_of(i) + ": " + warning});
        }
    }
    document.answers.push_back(answer_of(runs));
    document.sections = {runs_section(runs), networks_section(runs), choices_section(runs),
                         layer_ratios_section(runs), row_ratios_section(runs)};
    return document;
}

}  // namespace hacscale::report
