// Strategies that chose the same network are one network with several names: the report shows it once.
#pragma once

#include <string>
#include <vector>

#include "report/records/records.hpp"

namespace hacscale::report {

bool same_network(const StrategyRow& a, const StrategyRow& b);
// Whether the strategy has an answer and it is the base.
bool keeps_base(const Comparison& comparison, const StrategyRow& row);

struct DistinctNetwork {
    std::vector<const StrategyRow*> rows;  // at least one; "base" and "hacscale" come first

    const StrategyRow& row() const { return *rows.front(); }
    bool has(const std::string& strategy) const;
};

// The base first, then in the order of the strategies. Those without an answer share an entry where status
// and reason are the same.
std::vector<DistinctNetwork> distinct_networks(const Comparison& comparison);

// Names of the rows besides the one that stands for them, in the record's order: "greedy, morph".
std::string other_names(const DistinctNetwork& network);

// One of the settings that a run was made with (batch, dtype, cache, threads); empty when its records do not say.
std::string setting_of(const Records& records, const std::string& name);

// The whole networks that were measured beside the table's prediction: verify.json's, or where the run has
// none, those that its comparisons measured, each once.
std::vector<VerifiedNetwork> checked_networks(const Records& records);

}  // namespace hacscale::report
