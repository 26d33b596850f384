#include "harness/measure/chrome_trace.hpp"

#include <fmt/format.h>

#include "models/ops/layer_spec.hpp"
#include "records/json.hpp"

namespace hacscale::harness {

namespace {

// All is on one thread of one process: slices within a slice are shown below it.
constexpr int process = 1;
constexpr int thread = 1;

records::Json name_event(const char* what, const std::string& name) {
    return {{"ph", "M"}, {"name", what}, {"pid", process}, {"tid", thread}, {"args", {{"name", name}}}};
}

records::Json slice(const std::string& name, std::string_view category, double begin_us, double duration_us,
                    records::Json args) {
    return {{"ph", "X"},          {"name", name},   {"cat", category}, {"ts", begin_us},
            {"dur", duration_us}, {"pid", process}, {"tid", thread},   {"args", std::move(args)}};
}

// What is the same in every pass.
std::vector<records::Json> layer_args(const TracedRun& run) {
    std::vector<records::Json> all;
    for (std::size_t i = 0; i < run.network.graph.nodes.size(); ++i) {
        const LayerSpec& layer = run.network.graph.nodes[i].layer;
        const LayerCost cost = cost_of(layer, run.batch, run.type);
        all.push_back({{"key", layer.key()},
                       {"macs", cost.macs},
                       {"bytes", cost.bytes},
                       {"implementation", run.implementations.at(i)}});
    }
    return all;
}

}  // namespace

std::string chrome_trace(const TracedRun& run) {
    records::Json events{name_event("process_name", run.device), name_event("thread_name", run.network.name)};
    const std::vector<records::Json> layers = layer_args(run);
    for (std::size_t pass = 0; pass < run.passes.size(); ++pass) {
        const TracedPass& traced = run.passes[pass];
        std::vector<double> begins{traced.begin_us};
        for (const double node_us : traced.node_us) begins.push_back(begins.back() + node_us);
        events.push_back(slice(fmt::format("pass {}", pass + 1), "pass", begins.front(),
                               begins.back() - begins.front(), {{"batch", run.batch}}));
        for (std::size_t i = 0; i < layers.size(); ++i) {
            records::Json args = layers[i];
            if (run.peak_flops_per_s && traced.node_us[i] > 0.0) {
                const double flops = 2.0 * args["macs"].get<double>();
                args["utilization"] = flops / (traced.node_us[i] * 1e-6 * *run.peak_flops_per_s);
            }
            const Node& node = run.network.graph.nodes[i];
            events.push_back(
                slice(node.name, name_of(node.layer.kind), begins[i], traced.node_us[i], std::move(args)));
        }
    }
    const records::Json trace{{"displayTimeUnit", "ns"},
                              {"otherData",
                               {{"model", run.network.name},
                                {"model_hash", network_hash(run.network)},
                                {"device", run.device},
                                {"fingerprint", run.fingerprint},
                                {"batch", run.batch},
                                {"dtype", name_of(run.type)}}},
                              {"traceEvents", std::move(events)}};
    return trace.dump(-1, ' ', false, records::Json::error_handler_t::replace) + "\n";
}

}  // namespace hacscale::harness
