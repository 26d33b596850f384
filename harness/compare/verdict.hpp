// Which strategies of a comparison dominate which, and which are equal within noise (docs/method.md,
// "Verdict").
//
// Rows are judged by latency, gain, and accuracy where both were trained. In each of these one row is better
// when it leads by more than noise: for latency, the 95 % interval of the ratio of the two measured in one
// run; for accuracy, Welch's 95 % interval of the difference of the means over seeds; gain is computed, not
// measured, and has none. A row dominates another when it is better in one and worse in none; rows of which
// neither is better in anything are equal.
#pragma once

#include "records/comparison.hpp"

namespace hacscale::harness {

// Half-width, in points, of the 95 % interval of the difference of two means (Welch 1947). Nothing when one
// of them has a single seed: how far it might be off is not known.
std::optional<double> difference_half_width(const records::AccuracyFigures& a,
                                            const records::AccuracyFigures& b);

enum class Relation {
    none,  // each is better in something; or one of them was not measured or is noisy, or its gain is not
           // known
    dominates,
    dominated,
    equal,
};
// Of `a` to `b`.
Relation relation(const records::StrategyRow& a, const records::StrategyRow& b);

// Whether `a` was measured faster by more than noise. Both were measured.
bool latency_leads(const records::StrategyRow& a, const records::StrategyRow& b);

// Fills `dominates` and `equal_to` of every row, the base included.
void add_verdict(records::ComparisonRecord& record);

}  // namespace hacscale::harness
