// Tables of strategies have a row each; the page shows one a network, with the names of all that chose it.
#pragma once

#include <vector>

#include "report/document/document.hpp"
#include "report/records/networks.hpp"

namespace hacscale::report {

// The table's rows are those of `rows`, in that order. The files keep them all.
void fold_rows(Table& table, const std::vector<const StrategyRow*>& rows, const Comparison& comparison);

// How many strategies keep the base.
std::size_t count_keeping_base(const Comparison& comparison);

}  // namespace hacscale::report
