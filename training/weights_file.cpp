#include "training/weights_file.hpp"

#include <fmt/format.h>

#include <set>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "models/formats/formats.hpp"
#include "models/formats/safetensors.hpp"
#include "models/ops/operator.hpp"
#include "models/stages/lowering.hpp"

namespace hacscale {
namespace {

class TensorList {
public:
    void add_node(const Node& node, int index) {
        const LayerSpec& layer = node.layer;
        std::string prefix = node.name;
        // Names come from the model's stages, which a user may have named alike.
        if (!used_.insert(prefix).second) prefix = fmt::format("{}.{}", prefix, index);
        for (WeightPart& part : operator_of(layer.kind).weights(layer)) {
            tensors_.push_back(
                {fmt::format("{}.{}", prefix, part.name), std::move(part.shape), index, part.values});
        }
    }

    std::vector<WeightTensor> take() { return std::move(tensors_); }

private:
    std::vector<WeightTensor> tensors_;
    std::set<std::string> used_;
};

}  // namespace

std::int64_t WeightTensor::elements() const {
    std::int64_t product = 1;
    for (const std::int64_t size : shape) product *= size;
    return product;
}

std::vector<WeightTensor> weight_tensors(const Graph& network) {
    TensorList list;
    for (std::size_t i = 0; i < network.nodes.size(); ++i) {
        list.add_node(network.nodes[i], static_cast<int>(i));
    }
    return list.take();
}

// ---- The file ----

namespace {

namespace fs = std::filesystem;

constexpr const char* format_name = "hacscale-weights-1";

class WeightsReader {
public:
    explicit WeightsReader(const fs::path& path) : file_(path) {}

    void check_model(const ModelSpec& model) const {
        if (text("format") != format_name) {
            fail(fmt::format("expected metadata with the format {}; 'hacscale export-weights' writes it",
                             format_name));
        }
        const std::string hash = model_hash(model);
        if (const std::string found = text("model_hash"); found != hash) {
            fail(fmt::format("these are weights of the model {:.100} ({:.40}), not of {} ({})", text("model"),
                             found, model.name, hash));
        }
    }

    std::vector<float> read(const WeightTensor& tensor) {
        const auto entry = file_.entries().find(tensor.name);
        if (entry != file_.entries().end() && entry->second.type != "F32") {
            fail(fmt::format("{}: expected the data type F32", tensor.name));
        }
        return file_.read(tensor.name, tensor.shape);
    }

    void check_count(std::size_t tensors) const {
        if (file_.entries().size() != tensors) {
            fail(fmt::format("expected {} tensors, found {}", tensors, file_.entries().size()));
        }
    }

private:
    [[noreturn]] void fail(const std::string& message) const {
        throw InputError(file_.path().string() + ": " + message);
    }

    // Of the metadata; empty where they have no such key.
    std::string text(const char* key) const {
        const auto found = file_.metadata().find(key);
        return found == file_.metadata().end() ? "" : found->second;
    }

    SafetensorsFile file_;
};

void check_sizes(const std::vector<WeightTensor>& tensors, const std::vector<LayerWeights>& weights,
                 std::size_t nodes) {
    if (weights.size() != nodes) {
        throw InputError(
            fmt::format("expected weights of {} layers, found those of {}", nodes, weights.size()));
    }
    for (const WeightTensor& tensor : tensors) {
        const auto found = (weights[static_cast<std::size_t>(tensor.node)].*tensor.values).size();
        if (found != static_cast<std::size_t>(tensor.elements())) {
            throw InputError(
                fmt::format("{}: expected {} numbers, found {}", tensor.name, tensor.elements(), found));
        }
    }
}

}  // namespace

void write_weights(const fs::path& file, const ModelSpec& model, const std::vector<LayerWeights>& weights) {
    const Graph network = lower(model);
    const std::vector<WeightTensor> tensors = weight_tensors(network);
    check_sizes(tensors, weights, network.nodes.size());
    std::vector<NamedTensor> named;
    for (const WeightTensor& tensor : tensors) {
        named.push_back(
            {tensor.name, tensor.shape, &(weights[static_cast<std::size_t>(tensor.node)].*tensor.values)});
    }
    write_safetensors(
        file, {{"format", format_name}, {"model", model.name}, {"model_hash", model_hash(model)}}, named);
}

bool is_folded_weights(const SafetensorsFile& file) {
    const auto format = file.metadata().find("format");
    return format != file.metadata().end() && format->second == format_name;
}

std::vector<LayerWeights> read_weights(const fs::path& file, const ModelSpec& model) {
    WeightsReader reader(file);
    reader.check_model(model);
    const Graph network = lower(model);
    const std::vector<WeightTensor> tensors = weight_tensors(network);
    std::vector<LayerWeights> weights(network.nodes.size());
    for (const WeightTensor& tensor : tensors) {
        weights[static_cast<std::size_t>(tensor.node)].*tensor.values = reader.read(tensor);
    }
    reader.check_count(tensors.size());
    return weights;
}

}  // namespace hacscale
