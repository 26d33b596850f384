#include "harness/compare/stage_files.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text/lines.hpp"
#include "harness/compare/accuracies.hpp"
#include "harness/compare/choice_files.hpp"
#include "models/formats/formats.hpp"
#include "models/formats/onnx/onnx.hpp"
#include "models/stages/lowering.hpp"
#include "models/structure/scaled_stages.hpp"
#include "models/weights/state_dict.hpp"
#include "models/zoo/zoo.hpp"
#include "records/record_file.hpp"
#include "scaling/budget.hpp"
#include "training/stage_weights.hpp"

namespace hacscale::harness {
namespace {

// A comparison names its widths where they are groups.
bool is_of_groups(const records::ComparisonRecord& record) {
    return !record.width_names.empty();
}

struct Scaled {
    ScaledNetwork network;
    std::string method;  // by which units were kept
    WeightSettings settings;
};

Scaled scaled_with_weights(const StageBase& base, const records::ComparisonRecord& record,
                           const records::StrategyRow& row, const ModelSpec& target,
                           const StageFileSettings& settings) {
    const bool of_groups = is_of_groups(record);
    const GroupedConvs rule = of_groups ? settings.grouped_convs : grouped_convs_of(base.model);
    const std::vector<ChannelGroup> groups = channel_groups(base.network.graph, {.grouped_convs = rule});
    const std::vector<Repeat> blocks = repeats(base.network.graph);
    UnitRanking ranking = unit_ranking(base.network, groups, blocks, settings.scores);
    ScaledNetwork network =
        of_groups ? scaled_network(base.network, groups, blocks,
                                   graph_choice_of(record, *row.choice, groups, blocks), ranking.settings)
                  : scaled_network(base.model, base.network.weights, target, ranking.settings);
    return {std::move(network), std::move(ranking.method), std::move(ranking.settings)};
}

}  // namespace

StageBase stage_base(const ModelSpec& model, const std::filesystem::path& weights) {
    StageBase base{model, read_stage_weights(model, weights), network_of(model)};
    base.network.weights = folded(base.network.graph, base.layers);
    return base;
}

ModelSpec stages_of(const ModelSpec& base, const records::ComparisonRecord& record,
                    const records::StrategyRow& row, GroupedConvs grouped_convs) {
    const Graph graph = lower(base);
    const std::vector<ChannelGroup> groups = channel_groups(graph, {.grouped_convs = grouped_convs});
    const std::vector<Repeat> blocks = repeats(graph);
    const Budget budget =
        record.budget_given.empty() ? Budget(record.budget) : parse_budget(record.budget_given);
    return named_after(
        base.name, row.strategy, budget,
        scaled_stages(base, groups, blocks, graph_choice_of(record, *row.choice, groups, blocks)));
}

std::vector<std::string> write_stage_choice(const StageBase& base, const records::ComparisonRecord& record,
                                            const records::StrategyRow& row,
                                            const std::filesystem::path& file,
                                            const StageFileSettings& settings) {
    if (!row.choice) {
        throw WorkError(fmt::format("{} is not written: {} found no network within the budget: {}",
                                    file.string(), row.strategy, row.reason));
    }
    const bool as_onnx = is_onnx_file(file);
    if (row.spec.empty() && !as_onnx) {
        throw WorkError(fmt::format("{} is not written: {}", file.string(), row.reason));
    }
    const ModelSpec target = row.spec.empty() ? base.model : parse_model(row.spec, row.strategy);
    Scaled scaled = scaled_with_weights(base, record, row, target, settings);
    Network& network = scaled.network.network;
    std::vector<std::string> lines{
        fmt::format("{}: {} params, {} MACs", file.string(), with_separators(network.graph.params()),
                    with_separators(network.graph.macs())),
        outputs_text(scaled.network, scaled.method)};
    if (as_onnx) {
        network.name = target.name;
        onnx::write_file(export_onnx(network, settings.opset), file);
        return lines;
    }
    std::filesystem::path weights = file;
    weights.replace_extension(".safetensors");
    const std::vector<TrainedLayer> layers =
        scaled_layers(base.network.graph, base.layers, scaled.network, scaled.settings);
    write_state_dict(weights, lower(target), layers);
    records::write_record(file, row.spec);
    lines.push_back(
        fmt::format("{}: its weights{}", weights.string(),
                    has_batch_norms(layers) ? ", which \"hacscale train --start\" goes on from" : ""));
    return lines;
}

}  // namespace hacscale::harness
