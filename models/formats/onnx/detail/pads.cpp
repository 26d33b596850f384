// A Pad before a conv or pool becomes the pads of it, where that computes the same.
#include <algorithm>
#include <limits>

#include "models/formats/onnx/detail/network.hpp"

namespace hacscale::onnx::detail {

namespace {

bool is_never_negative(const Edges& edges, const std::string& value) {
    const Node* writer = edges.producer(value);
    if (writer == nullptr) {
        return false;
    }
    if (writer->op_type == "Clip") {
        return writer->number("min", -1) >= 0;
    }
    return writer->domain.empty() &&
           (writer->op_type == "Relu" || writer->op_type == "Sigmoid" || writer->op_type == "HardSigmoid");
}

bool fits_pool(const Edges& edges, const Node& pad, const Node& pool, const Ints& pads) {
    const float value = pad.number("value", 0);
    const std::size_t axes = pads.size() / 2;
    const Ints kernel = pool.integers("kernel_shape", {});
    if (pool.op_type == "AveragePool") {
        // The pool counts what the Pad added; its own pads must then count as well, or be absent.
        const Ints own = pool.integers("pads", {});
        const bool none = std::all_of(own.begin(), own.end(), [](std::int64_t each) { return each == 0; });
        if (value != 0 || !(none || pool.integer("count_include_pad", 0) != 0)) {
            return false;
        }
    } else if (value != -std::numeric_limits<float>::infinity() &&
               value > std::numeric_limits<float>::lowest() &&
               !(value == 0 && is_never_negative(edges, pad.inputs.front()))) {
        return false;
    }
    // A window in the pads alone has no maximum and no mean.
    const Ints dilations = pool.integers("dilations", Ints(axes, 1));
    for (std::size_t i = 0; i < axes; ++i) {
        const std::int64_t extent = (kernel[i] - 1) * dilations[i] + 1;
        if (pads[i] >= extent || pads[i + axes] >= extent) {
            return false;
        }
    }
    return true;
}

}  // namespace

void merge_pads(Network& network) {
    const Edges edges(network);
    for (Node& node : network.nodes) {
        const bool is_pool = node.op_type == "MaxPool" || node.op_type == "AveragePool";
        if (!is_pool && node.op_type != "Conv") {
            continue;
        }
        const Node* pad = edges.producer(node.inputs.front());
        if (pad == nullptr || pad->op_type != "Pad" || pad->text("mode", "") != "constant") {
            continue;
        }
        const Ints all = pad->integers("pads", {});
        Ints pads = node.integers("pads", {});
        const std::size_t axes = pads.size() / 2;
        const std::size_t rank = all.size() / 2;
        const auto is_negative = [](std::int64_t each) { return each < 0; };
        if (all[0] != 0 || all[1] != 0 || all[rank] != 0 || all[rank + 1] != 0 ||
            std::any_of(all.begin(), all.end(), is_negative)) {
            continue;
        }
        for (std::size_t i = 0; i < axes; ++i) {
            pads[i] += all[i + 2];
            pads[i + axes] += all[i + 2 + rank];
        }
        if (is_pool ? !fits_pool(edges, *pad, node, pads) : pad->number("value", 0) != 0) {
            continue;
        }
        node.sources = {pad->name, node.name};
        node.inputs.front() = pad->inputs.front();
        node.attributes["pads"] = pads;
        if (node.op_type == "AveragePool") {
            node.attributes["count_include_pad"] = std::int64_t{1};
        }
    }
}

}  // namespace hacscale::onnx::detail
