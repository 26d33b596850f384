// What was chosen for a model with stages, as files with weights: the model's YAML with its state dict, or an ONNX file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "models/formats/onnx_export/onnx_export.hpp"
#include "models/graph/network.hpp"
#include "models/stages/model_spec.hpp"
#include "models/structure/structure.hpp"
#include "models/weights/trained_layers.hpp"
#include "records/comparison.hpp"

namespace hacscale::harness {

// A model with stages and what it has learned.
struct StageBase {
    ModelSpec model;
    std::vector<TrainedLayer> layers;
    Network network;  // the lowered model, with the weights folded
};

// Throws as read_stage_weights() does.
StageBase stage_base(const ModelSpec& model, const std::filesystem::path& weights);

struct StageFileSettings {
    std::filesystem::path scores;  // of units, as read_scores() takes them; empty: by the norms of weights
    std::int64_t opset = default_onnx_opset;
    GroupedConvs grouped_convs = GroupedConvs::keep_width;  // of a comparison of the model as a graph
};

// Of a row of a comparison of the model as a graph: its choice as a model with stages, named after base, strategy and budget. Throws
// InputError where it is none.
ModelSpec stages_of(const ModelSpec& base, const records::ComparisonRecord& record,
                    const records::StrategyRow& row, GroupedConvs grouped_convs);

// Writes the network of a row of a comparison of `base` to `file`: where its name ends in .onnx with weights, else as YAML, and the weights
// as NAME.safetensors beside it. Returns lines that say what was written, and whether outputs are the base's. Throws WorkError where the
// row has no choice or a file cannot be written, and InputError as scaled_network() does.
std::vector<std::string> write_stage_choice(const StageBase& base, const records::ComparisonRecord& record,
                                            const records::StrategyRow& row,
                                            const std::filesystem::path& file,
                                            const StageFileSettings& settings);

}  // namespace hacscale::harness
