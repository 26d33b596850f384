#include "harness/compare/verdict.hpp"

#include <array>
#include <cmath>

namespace hacscale::harness {

namespace {

enum class Standing { worse, equal, better };

// Gains are sums of rounded logarithms; below this they differ by rounding alone.
constexpr double gain_rounding = 1e-6;

// The 0.975 quantile of Student's t with this many degrees of freedom, rounded down to a whole number, which
// makes the interval wider rather than narrower.
double t_quantile(double degrees_of_freedom) {
    constexpr std::array quantiles{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                                   2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
                                   2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};
    const double whole = std::floor(degrees_of_freedom);
    if (whole >= static_cast<double>(quantiles.size())) {
        return quantiles.back();
    }
    return quantiles[whole < 1.0 ? 0 : static_cast<std::size_t>(whole) - 1];
}

Standing standing_of(double lead, double noise) {
    return lead > noise ? Standing::better : lead < -noise ? Standing::worse : Standing::equal;
}

// On the logarithm, so that it does not matter which of the two is the base of the ratio.
Standing latency_standing(const records::StrategyRow& a, const records::StrategyRow& b) {
    const double noise =
        std::hypot(a.ci95_us.value_or(0.0) / *a.measured_us, b.ci95_us.value_or(0.0) / *b.measured_us);
    return standing_of(std::log(*b.measured_us / *a.measured_us), noise);
}

Standing gain_standing(const records::StrategyRow& a, const records::StrategyRow& b) {
    return standing_of(*a.gain - *b.gain, gain_rounding);
}

// Equal, too, where the difference cannot be told from noise because its size is not known.
Standing accuracy_standing(const records::StrategyRow& a, const records::StrategyRow& b) {
    if (!a.accuracy || !b.accuracy) {
        return Standing::equal;
    }
    const std::optional<double> noise = difference_half_width(*a.accuracy, *b.accuracy);
    return noise ? standing_of(a.accuracy->mean - b.accuracy->mean, *noise) : Standing::equal;
}

}  // namespace

std::optional<double> difference_half_width(const records::AccuracyFigures& a,
                                            const records::AccuracyFigures& b) {
    if (!a.deviation || !b.deviation) {
        return std::nullopt;
    }
    // Squared standard errors of both means.
    const double first = *a.deviation * *a.deviation / a.seeds;
    const double second = *b.deviation * *b.deviation / b.seeds;
    if (first + second == 0.0) {
        return 0.0;
    }
    const double degrees_of_freedom = (first + second) * (first + second) /
                                      (first * first / (a.seeds - 1) + second * second / (b.seeds - 1));
    return t_quantile(degrees_of_freedom) * std::sqrt(first + second);
}

bool latency_leads(const records::StrategyRow& a, const records::StrategyRow& b) {
    return latency_standing(a, b) == Standing::better;
}

Relation relation(const records::StrategyRow& a, const records::StrategyRow& b) {
    const bool noisy =
        a.status == records::StrategyStatus::noisy || b.status == records::StrategyStatus::noisy;
    if (noisy || !a.measured_us || !b.measured_us || !a.gain || !b.gain) {
        return Relation::none;
    }
    bool better = false;
    bool worse = false;
    for (const Standing standing : {latency_standing(a, b), gain_standing(a, b), accuracy_standing(a, b)}) {
        better = better || standing == Standing::better;
        worse = worse || standing == Standing::worse;
    }
    if (better && worse) {
        return Relation::none;
    }
    return better ? Relation::dominates : worse ? Relation::dominated : Relation::equal;
}

void add_verdict(records::ComparisonRecord& record) {
    std::vector<records::StrategyRow*> rows{&record.base};
    for (records::StrategyRow& row : record.strategies) {
        rows.push_back(&row);
    }
    for (records::StrategyRow* row : rows) {
        row->dominates.clear();
        row->equal_to.clear();
        for (const records::StrategyRow* other : rows) {
            if (other == row) {
                continue;
            }
            const Relation found = relation(*row, *other);
            if (found == Relation::dominates) {
                row->dominates.push_back(other->strategy);
            } else if (found == Relation::equal) {
                row->equal_to.push_back(other->strategy);
            }
        }
    }
}

}  // namespace hacscale::harness
