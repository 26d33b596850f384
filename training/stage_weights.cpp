#include "training/stage_weights.hpp"

#include <array>
#include <fstream>
#include <string_view>

#include "models/formats/safetensors.hpp"
#include "models/stages/lowering.hpp"
#include "models/weights/state_dict.hpp"
#include "training/sha256.hpp"
#include "training/trainer_module.hpp"
#include "training/weights_file.hpp"

namespace hacscale {

// libtorch's archives are zip files.
bool is_checkpoint(const std::filesystem::path& file) {
    std::error_code error;
    if (std::filesystem::is_directory(file, error)) return true;
    std::array<char, 2> begin{};
    std::ifstream(file, std::ios::binary).read(begin.data(), begin.size());
    return std::string_view(begin.data(), begin.size()) == "PK";
}

std::vector<TrainedLayer> read_stage_weights(const ModelSpec& model, const std::filesystem::path& file) {
    if (is_checkpoint(file)) {
        const LoadedTrainer loaded = load_trainer();
        return loaded.required().trained_layers(model, file);
    }
    if (is_folded_weights(SafetensorsFile(file))) return unnormalized(read_weights(file, model));
    return read_trained_layers(file, lower(model));
}

std::string fingerprint(const std::vector<TrainedLayer>& layers) {
    std::vector<std::uint8_t> bytes;
    const auto add = [&](const std::vector<float>& values) {
        const auto* const first = reinterpret_cast<const std::uint8_t*>(values.data());
        bytes.insert(bytes.end(), first, first + values.size() * sizeof(float));
    };
    for (const TrainedLayer& layer : layers) {
        const LayerWeights& products = layer.products;
        for (const auto* const values :
             {&products.weights, &products.bias, &products.weights2, &products.bias2, &layer.norm.scale,
              &layer.norm.shift, &layer.norm.mean, &layer.norm.variance}) {
            add(*values);
        }
    }
    constexpr std::size_t digits = 16;
    return bytes.empty() ? "" : detail::sha256(bytes).substr(0, digits);
}

}  // namespace hacscale
