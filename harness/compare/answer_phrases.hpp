// What an answer says of one comparison, in words: harness/compare/answer.hpp puts them into lines.
#pragma once

#include <string>
#include <vector>

#include "records/comparison.hpp"

namespace hacscale::harness {

// Networks that gain over the base within the budget: those that were measured before predictions, and of either most gain
// first, each network once. Of strategies that chose the same one, HACScale's stands for all, else the first.
std::vector<const records::StrategyRow*> ranked(const records::ComparisonRecord& record);

bool keeps_base(const records::ComparisonRecord& record, const records::StrategyRow& row);
std::vector<std::string> keepers_of_base(const records::ComparisonRecord& record);

// "stage 3: 64 -> 96 channels; stage 1: 3 -> 2 blocks", or, where that is longer than two lines, all widths
// in one list: "channels 16,32,64 -> 16,48,80; blocks 3,3,3 -> 2,2,3".
std::string changes_text(const records::ComparisonRecord& record, const ScalingChoice& choice);

// "latency -2.8 +- 1.3 %, utilization x1.17 +- 0.02, params x1.37".
std::string costs_text(const records::ComparisonRecord& record, const records::StrategyRow& row);
// The same and the gain, and the accuracy where it is known: "latency -2.8 +- 1.3 %, utilization x1.17 +- 0.02, params x1.37, capacity x1.31".
std::string brings_text(const records::ComparisonRecord& record, const records::StrategyRow& row);

// "capacity x1.31", or the gain in its unit, of a gain that was not computed from params and MACs alone.
std::string gain_text(const records::ComparisonRecord& record, const records::StrategyRow& row);

// "545.4 us", "1.46 ms".
std::string latency_text(double latency_us);

}  // namespace hacscale::harness
