// Strategies that chose the same network are one network with several names: the report shows it once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "records/run_folder.hpp"
#include "report/document/document.hpp"

namespace hacscale::report {

// Whether the strategy has an answer and it is the base.
bool keeps_base(const records::ComparisonRecord& comparison, const records::StrategyRow& row);

// How the row is marked in tables: the base, the program's own choice, or neither.
RowMark row_mark(const records::ComparisonRecord& comparison, const records::StrategyRow& row);

struct DistinctNetwork {
    std::vector<const records::StrategyRow*> rows;  // at least one; "base" and "hacscale" come first

    const records::StrategyRow& row() const { return *rows.front(); }
    // The first row with an accuracy; null where none has one.
    const records::StrategyRow* trained_row() const;
    bool has(const std::string& strategy) const;
};

// The base first, then in the order of the strategies. Those without an answer share an entry where status
// and reason are the same.
std::vector<DistinctNetwork> distinct_networks(const records::ComparisonRecord& comparison);

// Names of the rows besides the one that stands for them, in the record's order: "greedy, morph".
std::string other_names(const DistinctNetwork& network);

// The table's rows are those of `rows`, in that order, one a strategy. The page shows one row a network, with the names of
// all that chose it; the files keep them all.
void fold_rows(Table& table, const std::vector<const records::StrategyRow*>& rows,
               const records::ComparisonRecord& comparison);

// How many strategies keep the base.
std::size_t count_keeping_base(const records::ComparisonRecord& comparison);

// The whole networks that were measured beside the table's prediction: verify.json's, or where the run has
// none, those that its comparisons measured, each once.
std::vector<records::VerifiedModel> checked_networks(const records::RunRecords& records);
// Half of its 95 % interval; nothing where the record has none.
std::optional<double> interval_of(const records::VerifiedModel& network);

}  // namespace hacscale::report
