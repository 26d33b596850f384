// A table's rows in other forms: CSV and JSON with all that follows from a row, and the formats of other tools, which cannot
// hold every row.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/graph/latency_source.hpp"
#include "profiler/table/columns.hpp"
#include "profiler/table/table.hpp"

namespace hacscale {

// What became of a table's rows in a form that cannot hold them all.
struct ExportSummary {
    std::int64_t rows = 0;                         // that the filter lets through
    std::int64_t written = 0;                      // of these
    std::int64_t entries = 0;                      // of the file
    std::map<std::string, std::int64_t> left_out;  // rows by the reason, in words
};

// A table's rows as CSV or JSON, with the quantities that follow from them. Columns are described in
// docs/formats.md, "Exported columns". Both forms carry the same columns under the same names, numbers that read
// back to the same double, and are written row by row.

// Their names, in order.
std::vector<std::string> export_column_names();

// RFC 4180 with a header line; lines end with CR LF; an absent value is an empty cell.
void write_csv(const Table& table, const RowFilter& filter, std::ostream& out);

// An array with one object a row; an absent value is null, with its reason beside it.
void write_json(const Table& table, const RowFilter& filter, std::ostream& out);

// All values of one column, row by row; of an object its JSON text.
struct ExportedColumn {
    std::string name;
    std::vector<ColumnValue> values;
};
std::vector<ExportedColumn> exported_columns(const Table& table, const RowFilter& filter);

// A table's rows in the form of Google Benchmark's JSON output, for its tools/compare.py and for programs
// that collect such files. Described in docs/formats.md, "Google Benchmark's JSON".

// One benchmark a row that has a latency; compare.py stops at entries without a time.
ExportSummary write_google_benchmark(const Table& table, const RowFilter& filter, std::ostream& out);

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
// The words say nothing of batch, data type, cache state, footprint and layout, and little of activations. The first
// three must be equal in all rows. Of rows of one layer the mean counts, as detail/layer_means.hpp says; of layers with the
// same words, the mean of theirs. So sums over networks come near the networks' latencies.

// Throws InputError when rows of more than one batch, data type or cache state pass the filter.
ExportSummary write_ofa_yaml(const Table& table, const RowFilter& filter, std::ostream& out);

// A table as the latency lookup table that HALP (NVlabs/HALP, prune/cost.py) and MDP (NVlabs/MDP,
// prune/latency_targeted_pruning_mdp.py) read: a pickle of a dictionary from BATCH_CIN_COUT_MAP_KERNEL_STRIDE_GROUPS
// to milliseconds. MAP is the input's height, GROUPS is 1, or CIN of a depthwise conv. Described in docs/formats.md,
// "HALP's and MDP's latency table".

// Why the layer has no such key, in words; nothing when it has one.
std::optional<std::string> halp_key_problem(const LayerSpec& layer);
// Of a layer that has one.
std::string halp_key(const LayerSpec& layer, int batch);

// The rows as they are. The key says nothing of activation, residual, footprint and layout: as in write_ofa_yaml(). Rows of
// several batches may go into one file. Throws InputError for more than one data type or cache state.
ExportSummary write_halp(const Table& table, const RowFilter& filter, std::ostream& out);

struct HalpNetworkSummary {
    std::int64_t entries = 0;
    std::int64_t interpolated = 0;                 // of these, those that are not of measured rows alone
    std::vector<std::string> missing;              // keys without a latency, sorted
    std::map<std::string, std::int64_t> left_out;  // layers by the reason why they have no key
};

// All keys that these tools ask for while they prune the network: each conv with every pair of input and output channels that
// are multiples of `grid` below its own, or its own; the network's input keeps its channels. Of layers that share a key
// the mean counts, and those of the network as it is before narrower ones, so that the sum over its convs is the source's. InputError
// for more than 2^22 pairs.
HalpNetworkSummary write_halp(const Graph& network, const LatencySource& source, int batch, int grid,
                              std::ostream& out);

namespace detail {

// Throws WorkError where the rows that were written so far have not arrived.
void require_written(const std::ostream& out);

}  // namespace detail

}  // namespace hacscale
