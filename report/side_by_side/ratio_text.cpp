#include "report/side_by_side/ratio_text.hpp"

#include <fmt/format.h>

#include "report/document/cells.hpp"

namespace hacscale::report {

std::string ratio_text(const LatencyRatio& over, bool certain) {
    if (!certain) return ratio(over.ratio);
    return fmt::format("{} ({} to {}{})", ratio(over.ratio), significant(over.ratio_low),
                       significant(over.ratio_high), over.significant ? "" : ", within noise");
}

void add_ratio_cells(const std::optional<LatencyRatio>& over, bool certain, TableRow& row) {
    const auto figure = [&](double LatencyRatio::*value, bool known) {
        return over && known ? std::optional((*over).*value) : std::nullopt;
    };
    const auto end = [](double value) { return significant(value); };
    row.cells.push_back(
        number_cell(figure(&LatencyRatio::ratio, true), [&](double) { return ratio_text(*over, certain); }));
    row.cells.push_back(number_cell(figure(&LatencyRatio::ratio_low, certain), end));
    row.cells.push_back(number_cell(figure(&LatencyRatio::ratio_high, certain), end));
}

}  // namespace hacscale::report
