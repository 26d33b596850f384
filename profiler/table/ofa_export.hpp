// A table as the latency lookup table that MIT's once-for-all and ProxylessNAS read (LatencyTable in
// ofa/nas/efficiency_predictor/latency_lookup_table.py): a YAML mapping from a layer or block in words to its
// latency in milliseconds. Described in docs/formats.md, "Once-for-all's latency table".
//
// That table knows the layers of MobileNet-like networks only, and whole blocks instead of their layers:
//   Conv           the first conv, 3x3 with stride 2 on an image
//   Conv_1         a 1x1 conv with an activation, as before the pooling
//   Conv_2         the same on a map of one pixel, and a linear layer with an activation
//   AvgPool2D      global average pooling
//   Logits         the last linear layer; with a map before it, the pooling is part of it
//   expanded_conv  an inverted residual: [1x1 conv,] depthwise conv, [squeeze-excite,] 1x1 conv
// A block's latency is the sum of its layers', as everywhere here. Each depthwise conv is put together with
// all layers among the rows that can stand before and after it.
//
// The words say nothing of batch, data type, cache state and footprint, and little of activations. The first
// three must be equal in all rows; where rows have the same words nevertheless, the slowest counts, so that a
// network within a budget by this table is within it.
#pragma once

#include <ostream>

#include "profiler/table/export_summary.hpp"
#include "profiler/table/table.hpp"

namespace hacscale {

// Throws InputError when rows of more than one batch, data type or cache state pass the filter.
ExportSummary write_ofa_yaml(const Table& table, const RowFilter& filter, std::ostream& out);

}  // namespace hacscale
