// `hacscale trace`: when each layer of a network ran, as a file for chrome://tracing and Perfetto.
#include <fmt/format.h>
#include <spdlog/logger.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <utility>

#include "cli/commands.hpp"
#include "cli/network_options.hpp"
#include "cli/options.hpp"
#include "cli/session.hpp"
#include "harness/measure/chrome_trace.hpp"
#include "harness/measure/device_access.hpp"
#include "models/graph/graph_values.hpp"
#include "records/json.hpp"
#include "records/record_file.hpp"

namespace hacscale::cli {

namespace {

struct TraceOptions {
    std::string model;
    InputOptions inputs;
    std::string out;
    std::string table;
    std::string device = "cpu";
    int threads = 0;
    int passes = 5;
    BatchOptions batch;
};

// Of the device in this data type, by its table; nothing where no table was given.
std::optional<double> peak_of(const TraceOptions& options, const DeviceAccess& device, Session& session) {
    if (options.table.empty()) {
        return std::nullopt;
    }
    const Table table = Table::open(options.table, OpenMode::read);
    check_same_device(table, device);
    const std::optional<PeakRecord> peak = table.peak(options.batch.type());
    if (!peak || peak->flops_per_s <= 0.0) {
        session.log.warn("{} has no peak for {}: the layers have no utilization", options.table,
                         options.batch.dtype);
        return std::nullopt;
    }
    return peak->flops_per_s;
}

ExitStatus trace_command(const TraceOptions& options, Session& session) {
    TracedRun run;
    run.batch = options.batch.batch;
    run.type = options.batch.type();
    Network network = network_named(options.model, options.inputs, session);
    const DeviceAccess device = open_device(options.device, options.threads, session);
    run.peak_flops_per_s = peak_of(options, device, session);
    run.network = for_device(std::move(network), device.handle, run.batch, run.type);
    run.device = device.handle.device.name;
    run.fingerprint = device.handle.device.fingerprint;
    const Graph& graph = run.network.graph;
    const std::unique_ptr<NetworkRunner> runner =
        compiled(device.handle, run.network.name, graph, {run.batch, run.type, 0});
    runner->load(weights_of(run.network, 1));
    set_inputs(*runner, random_inputs(graph, run.batch, 2));
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        run.implementations.push_back(runner->implementation(static_cast<int>(i)));
    }
    const Trace trace =
        trace_passes(*runner, run.network.graph.nodes.size(), options.passes, [] { return !interrupted(); });
    run.passes = trace.passes;
    records::write_record(options.out, chrome_trace(run));
    if (session.json) {
        records::print_json(session.out, {{"model", run.network.name},
                                          {"device", device.handle.device.id},
                                          {"batch", run.batch},
                                          {"dtype", name_of(run.type)},
                                          {"layers", run.network.graph.nodes.size()},
                                          {"passes", run.passes.size()},
                                          {"clock_overhead_us", trace.clock.layer_us},
                                          {"clamped_readings", trace.clock.clamped},
                                          {"out", options.out}});
    } else {
        session.out << fmt::format(
            "{}: {} passes of {} on {}, {} layers each; open it in chrome://tracing or "
            "ui.perfetto.dev\n",
            options.out, run.passes.size(), run.network.name, device.handle.device.id,
            run.network.graph.nodes.size());
        if (trace.clock.readings > 0) {
            session.out << fmt::format(
                "the clock between layers took {:.2f} us a layer, which was taken off ({} of {} readings by "
                "less)\n",
                trace.clock.layer_us, trace.clock.clamped, trace.clock.readings);
        }
    }
    return status_with_doubts(ExitStatus::done, session);
}

}  // namespace

Run declare_trace(CLI::App& parser) {
    auto options = std::make_shared<TraceOptions>();
    parser.add_option("model", options->model, "A name of the zoo, or a YAML or ONNX file")->required();
    add_input_option(parser, options->inputs);
    parser.add_option("--out", options->out, "The file to write")->required();
    parser.add_option("--table", options->table, "The device's table, for the layers' utilization");
    parser.add_option("--device", options->device, "As 'hacscale devices' names it")->capture_default_str();
    parser.add_option("--threads", options->threads, "Of CPU work; 0: one a core this process may use")
        ->check(CLI::Range(0, 4096))
        ->capture_default_str();
    add_batch_options(parser, options->batch);
    parser.add_option("--passes", options->passes, "How often the network runs")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    return [options](Session& session) { return trace_command(*options, session); };
}

}  // namespace hacscale::cli
