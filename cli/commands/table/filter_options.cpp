#include "cli/commands/table/filter_options.hpp"

#include <CLI/CLI.hpp>

#include "base/error.hpp"
#include "models/ops/operator.hpp"

namespace hacscale::cli {

namespace {

LayerKind kind_from_name(const std::string& name) {
    std::string known;
    for (const Operator* const op : all_operators()) {
        if (op->name == name) {
            return op->kind;
        }
        known += (known.empty() ? "" : ", ") + std::string(op->name);
    }
    throw InputError("--kind: \"" + name + "\" is no kind of layer; there are " + known);
}

}  // namespace

RowFilter FilterOptions::filter() const {
    RowFilter filter;
    if (!layer.empty()) {
        filter.layer_contains = layer;
    }
    if (!kind.empty()) {
        filter.kind = kind_from_name(kind);
    }
    if (batch != 0) {
        filter.batch = batch;
    }
    if (!dtype.empty()) {
        filter.type = data_type_from_name(dtype);
    }
    if (!cache.empty()) {
        filter.cache = cache_state_from_name(cache);
    }
    if (!status.empty()) {
        filter.status = row_status_from_name(status);
    }
    return filter;
}

void add_filter_options(CLI::App& parser, FilterOptions& options) {
    parser.add_option("--layer", options.layer, "Only layers whose key contains this text");
    parser.add_option("--kind", options.kind, "Only this kind of layer: conv, linear, ...");
    parser.add_option("--batch", options.batch, "Only this batch size")->check(CLI::PositiveNumber);
    parser.add_option("--dtype", options.dtype, "Only this data type: f32, bf16 or f16");
    parser.add_option("--cache", options.cache, "Only this state of the caches: network, warm or cold");
    parser.add_option("--status", options.status, "Only rows that are ok, noisy, failed or unsupported");
}

}  // namespace hacscale::cli
