// `hacscale plan`: what a backend's library would choose for each layer of a network on a GPU that is known
// from a file and need not be here.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <set>

#include "base/text/lines.hpp"
#include "base/text/read_file.hpp"
#include "cli/commands.hpp"
#include "cli/network_options.hpp"
#include "cli/options.hpp"
#include "cli/printing/printing.hpp"
#include "kernels/backend/backend_registry.hpp"
#include "records/json.hpp"

namespace hacscale::cli {

namespace {

struct PlanOptions {
    std::string model;
    InputOptions inputs;
    std::string gpu_profile;
    BatchOptions batch;
};

std::string read_profile(const std::string& file) {
    constexpr std::uintmax_t max_bytes = 1 << 20;
    try {
        return read_file(file, max_bytes);
    } catch (const InputError& error) {
        throw InputError(
            std::string(error.what()) +
            "; --gpu-profile wants the file of a GPU profile (docs/formats.md, \"GPU profiles\")");
    }
}

// The first module that can plan, whether or not it can run here.
const BackendModule& planner_of(const BackendRegistry& registry) {
    std::string reasons;
    for (const LoadAttempt& attempt : registry.attempts()) {
        if (attempt.module != nullptr && attempt.module->plan != nullptr) {
            return *attempt.module;
        }
        if (attempt.module == nullptr) {
            reasons += "; " + attempt.path.string() + ": " + attempt.reason;
        }
    }
    throw MissingError(
        "no backend here can plan for a GPU: the CUDA backend's module is not in the folder backends/ beside "
        "the program, or was not built (it needs the CUDA toolkit)" +
        reasons);
}

// What the knobs say of the tile; the numbers are codes of the engine's own.
std::string tile_of(const LayerPlan& plan) {
    std::string text;
    for (const auto& [name, value] : plan.knobs) {
        if (name.find("tile") != std::string::npos) {
            text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
        }
    }
    return text;
}

records::Json layer_json(const Node& node, const LayerPlan& plan) {
    records::Json knobs = records::Json::object();
    for (const auto& [name, value] : plan.knobs) {
        knobs[name] = value;
    }
    return {{"layer", node.layer.key()},
            {"node", node.name},
            {"implementation", plan.implementation},
            {"engine", plan.engine},
            {"knobs", std::move(knobs)},
            {"tile", tile_of(plan)},
            {"workspace_bytes", plan.workspace_bytes},
            {"fused", plan.fused},
            {"reason", plan.reason}};
}

// "9.19.0" where plans name the library "cudnn 9.19.0"; empty when no layer needs it.
std::string cudnn_version(const std::vector<LayerPlan>& plans) {
    constexpr std::string_view name = "cudnn ";
    for (const LayerPlan& plan : plans) {
        if (plan.library.starts_with(name)) {
            return plan.library.substr(name.size());
        }
    }
    return {};
}

records::Json plan_json(const PlanOptions& options, const Network& network, const std::string& profile,
                        const std::vector<LayerPlan>& plans) {
    const records::Json gpu = records::Json::parse(profile);  // sound: the backend has read it
    const int version = gpu["deviceVer"].get<int>();
    records::Json layers = records::Json::array();
    for (const LayerPlan& plan : plans) {
        layers.push_back(layer_json(network.graph.nodes[static_cast<std::size_t>(plan.node)], plan));
    }
    return {{"model", network.name},
            {"profile", options.gpu_profile},
            {"gpu", gpu["deviceName"]},
            {"compute_capability", fmt::format("{}.{}", version / 100, version / 10 % 10)},
            {"cudnn", cudnn_version(plans)},
            {"batch", options.batch.batch},
            {"dtype", options.batch.dtype},
            {"layers", std::move(layers)}};
}

void print_plan(std::ostream& out, const records::Json& plan) {
    out << fmt::format("{} on {} (compute capability {}), batch {}, {}, cuDNN {}\n\n",
                       plan["model"].get<std::string>(), plan["gpu"].get<std::string>(),
                       plan["compute_capability"].get<std::string>(), plan["batch"].get<int>(),
                       plan["dtype"].get<std::string>(), plan["cudnn"].get<std::string>());
    TextTable table({{"node", Align::left},
                     {"layer", Align::left},
                     {"engine", Align::left},
                     {"knobs", Align::left},
                     {"workspace bytes"},
                     {"fused", Align::left}});
    std::set<std::string> reasons;
    for (const records::Json& layer : plan["layers"]) {
        std::string knobs;
        for (const auto& [name, value] : layer["knobs"].items()) {
            knobs += (knobs.empty() ? "" : " ") + name + "=" + value.dump();
        }
        const bool planned = !layer["implementation"].get<std::string>().empty();
        table.add({layer["node"], layer["layer"], planned ? layer["engine"].get<std::string>() : "none",
                   knobs, with_separators(layer["workspace_bytes"]), layer["fused"] ? "yes" : "no"});
        if (const auto reason = layer["reason"].get<std::string>(); !reason.empty()) {
            reasons.insert((planned ? "not fused: " : "no plan: ") + reason);
        }
    }
    table.print(out);
    for (const std::string& reason : reasons) {
        out << reason << '\n';
    }
}

ExitStatus plan_command(const PlanOptions& options, Session& session) {
    const Network network = network_named(options.model, options.inputs, session);
    CompileOptions compile;
    compile.batch = options.batch.batch;
    compile.type = options.batch.type();
    const std::string profile = read_profile(options.gpu_profile);
    const BackendRegistry registry = BackendRegistry::load();
    std::vector<LayerPlan> plans;
    try {
        plans = planner_of(registry).plan(profile, network.graph, compile);
    } catch (const InputError& error) {
        throw InputError(options.gpu_profile + ": " + error.what());
    }
    const records::Json answer = plan_json(options, network, profile, plans);
    if (session.json) {
        records::print_json(session.out, answer);
    } else {
        print_plan(session.out, answer);
    }
    return ExitStatus::done;
}

}  // namespace

Run declare_plan(CLI::App& parser) {
    auto options = std::make_shared<PlanOptions>();
    parser.add_option("model", options->model, "Name of the zoo, or YAML or ONNX file")->required();
    add_input_option(parser, options->inputs);
    parser.add_option("--gpu-profile", options->gpu_profile, "JSON file that describes the GPU")->required();
    add_batch_options(parser, options->batch);
    return [options](Session& session) { return plan_command(*options, session); };
}

}  // namespace hacscale::cli
