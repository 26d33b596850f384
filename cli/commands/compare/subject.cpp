#include <fmt/format.h>

#include "base/error.hpp"
#include "cli/commands/compare/compare.hpp"
#include "models/zoo/zoo.hpp"
#include "training/stage_weights.hpp"

namespace hacscale::cli {

namespace {

void check_options_of_files(const CompareOptions& options) {
    if (!options.out.empty() && !is_onnx_file(options.out)) {
        throw InputError(fmt::format(
            "--out {}: what is chosen of an ONNX file is one, too; end its name in .onnx", options.out));
    }
    if (!options.training.plan.empty()) {
        throw InputError("--train is for models with stages: train what --out writes in your own program");
    }
    if (!options.weights.empty() || options.as_graph) {
        throw InputError(fmt::format(
            "{} has weights of its own and is a graph; --weights and --as-graph are for models with stages",
            options.model));
    }
}

void check_options_of_stages(const CompareOptions& options) {
    const bool of_groups =
        !options.limits.empty() || !options.settings.graph.freeze.empty() || !options.files.channels.empty();
    if (!options.inputs.given.empty() || (of_groups && !options.as_graph)) {
        throw InputError(
            "--input is for ONNX files; --freeze, --group and --channels are for these and for --as-graph");
    }
    if (options.weights.empty() && !options.files.scores.empty()) {
        throw InputError("--scores is for ONNX files, and for models with stages that have --weights");
    }
    if (options.weights.empty() && !options.files.channels.empty()) {
        throw InputError("--channels needs the weights by which channels are kept; give --weights");
    }
    if (options.weights.empty() && is_onnx_file(options.out)) {
        throw InputError(fmt::format(
            "--out {}: without --weights, what is chosen of a model with stages is YAML, which \"hacscale "
            "models export\" writes as ONNX; end its name in .yaml",
            options.out));
    }
    // libtorch's OpenMP would pin threads before those of the backend find their cores.
    if (options.measure && is_checkpoint(options.weights)) {
        throw InputError(
            fmt::format("--weights {}: a checkpoint is not read where networks are timed, for libtorch would "
                        "take part in it; write "
                        "its weights first, by hacscale export-weights {} --checkpoint {} --batch-norms "
                        "--out NAME.safetensors",
                        options.weights, options.model, options.weights));
    }
    if (options.as_graph && !options.training.plan.empty()) {
        throw InputError(
            "--train plans what was chosen by stages; with --as-graph, --networks writes each network");
    }
}

}  // namespace

Subject subject_of(const CompareOptions& options, Session& session) {
    Subject subject;
    if (is_onnx_file(options.model)) {
        check_options_of_files(options);
        subject.graph = network_named(options.model, options.inputs, session);
        return subject;
    }
    check_options_of_stages(options);
    subject.has_stages = true;
    const ModelSpec model = keeping(find_model(options.model), options.keep);
    if (!options.weights.empty()) {
        subject.stages = stage_base(model, options.weights);
    }
    if (options.as_graph) {
        subject.graph = subject.stages ? subject.stages->network : network_of(model);
    }
    return subject;
}

}  // namespace hacscale::cli
