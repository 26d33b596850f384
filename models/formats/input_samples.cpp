#include "models/formats/input_samples.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "models/formats/safetensors.hpp"

namespace hacscale {
namespace {

std::string tensor_name(const SafetensorsFile& file, const Network& network, std::size_t input) {
    const bool is_only_one = network.graph.inputs.size() == 1 && file.entries().size() == 1;
    if (is_only_one) return file.entries().begin()->first;
    std::string name =
        network.input_names.empty() ? "input" + std::to_string(input) : network.input_names[input];
    if (file.has(name)) return name;
    std::vector<std::string> names;
    for (const auto& [present, entry] : file.entries()) names.push_back(present);
    throw InputError(fmt::format("{}: expected the tensor {}, an input of {}, found {}", file.path().string(),
                                 name, network.name,
                                 names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
}

std::vector<std::int64_t> without_ones(std::vector<std::int64_t> sizes) {
    std::erase(sizes, 1);
    return sizes;
}

std::vector<float> read_numbers(SafetensorsFile& file, const std::string& name, const Network& network,
                                const Tensor& input) {
    const std::vector<std::int64_t>& sizes = file.entries().at(name).shape;
    const bool has_samples = !sizes.empty() && sizes.front() > 0;
    if (!has_samples || without_ones({sizes.begin() + 1, sizes.end()}) !=
                            without_ones({input.channels, input.height, input.width})) {
        throw InputError(
            fmt::format("{}: {}: expected samples of {}, N x {} x {} x {}, found {}", file.path().string(),
                        name, network.name, input.channels, input.height, input.width,
                        sizes.empty() ? "one number" : fmt::format("{}", fmt::join(sizes, " x "))));
    }
    return file.read(name, sizes);
}

}  // namespace

InputSamples read_input_samples(const std::filesystem::path& file, const Network& network) {
    SafetensorsFile opened(file);
    InputSamples samples;
    for (std::size_t i = 0; i < network.graph.inputs.size(); ++i) {
        const Tensor& input = network.graph.tensors[network.graph.inputs[i]];
        const std::string name = tensor_name(opened, network, i);
        const std::vector<float> numbers = read_numbers(opened, name, network, input);
        const auto each = static_cast<std::size_t>(input.elements());
        const std::size_t count = numbers.size() / each;
        if (i == 0) samples.resize(count);
        if (count != samples.size()) {
            throw InputError(fmt::format("{}: {}: expected {} samples, as of the first input, found {}",
                                         file.string(), name, samples.size(), count));
        }
        for (std::size_t k = 0; k < count; ++k) {
            const auto begin = numbers.begin() + static_cast<std::ptrdiff_t>(k * each);
            samples[k].emplace_back(begin, begin + static_cast<std::ptrdiff_t>(each));
        }
    }
    return samples;
}

}  // namespace hacscale
