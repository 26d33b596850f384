// A file of tensors: as what it is, as input samples of a network, and as weights of one. What is read is the same when it was written and
// read again.
#include "models/formats/input_samples.hpp"
#include "models/formats/safetensors.hpp"
#include "models/weights/state_dict.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/fuzzers.hpp"
#include "training/weights_file.hpp"

namespace hacscale::fuzzing {
namespace {

// Two inputs and one conv, so that files of a few hundred bytes can fit.
Network small_network() {
    Network network;
    network.name = "small";
    const TensorId first = network.graph.add_input(2, 2, 1);
    const TensorId second = network.graph.add_input(2, 2, 1);
    LayerSpec conv;
    conv.in_channels = conv.out_channels = 2;
    conv.in_height = 2;
    conv.in_width = 1;
    conv.residual = true;
    network.graph.outputs = {
        network.graph.add_node({.layer = conv, .inputs = {first, second}, .name = "conv"})};
    return network;
}

void check_tensors(SafetensorsFile& file, std::string_view bytes) {
    std::vector<std::vector<float>> values;
    std::vector<NamedTensor> tensors;
    values.reserve(file.entries().size());
    for (const auto& [name, entry] : file.entries()) {
        auto read =
            accepted(bytes, [&, &name = name, &shape = entry.shape] { return file.read(name, shape); });
        if (!read) continue;
        values.push_back(std::move(*read));
        tensors.push_back({name, entry.shape, &values.back()});
    }
    const std::filesystem::path written = folder() / "written.safetensors";
    write_safetensors(written, {file.metadata().begin(), file.metadata().end()}, tensors);
    SafetensorsFile again(written);
    require(again.entries().size() == tensors.size() && again.metadata() == file.metadata(),
            "a file of tensors is another one when it was written");
    for (const NamedTensor& tensor : tensors) {
        require(again.read(tensor.name, tensor.shape) == *tensor.values,
                "a tensor is another one when it was written");
    }
}

}  // namespace

void fuzz_safetensors(std::string_view bytes) {
    static const Network network = small_network();
    static const ModelSpec model = find_model("resnet8-cifar");
    const std::filesystem::path file = file_with(bytes, "fuzzed.safetensors");
    const auto entries = accepted(bytes, [&] {
        SafetensorsFile opened(file);
        check_tensors(opened, bytes);
        return opened.entries().size();
    });
    if (!entries) return;
    if (const auto samples = accepted(bytes, [&] { return read_input_samples(file, network); })) {
        for (const auto& sample : *samples) require(sample.size() == 2, "a sample lacks an input");
    }
    (void)accepted(bytes, [&] { return read_state_dict(file, network.graph); });
    (void)accepted(bytes, [&] { return read_weights(file, model); });
}

}  // namespace hacscale::fuzzing
