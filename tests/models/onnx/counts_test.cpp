// Counts of networks that PyTorch users know, against fvcore's (networks.tsv): of zoo models always, of ONNX files where a folder has them.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "models/formats/onnx_import/onnx_import.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/models/onnx/small_models.hpp"

namespace hacscale {
namespace {

struct CountedNetwork {
    std::string name;
    std::int64_t macs = 0;
    std::int64_t params = 0;
    std::int64_t params_of_file = 0;
    std::string zoo;  // the zoo's name for it; empty where it is not there

    // "timm_resnet50d.onnx" of "timm:resnet50d"
    std::string file() const {
        std::string result = name + ".onnx";
        const std::size_t colon = result.find(':');
        if (colon != std::string::npos) result[colon] = '_';
        return result;
    }
};

std::vector<CountedNetwork> counted_networks() {
    std::vector<CountedNetwork> networks;
    std::ifstream table(HACSCALE_SOURCE_DIR "/tests/models/onnx/networks.tsv");
    std::string line;
    while (std::getline(table, line)) {
        if (line.starts_with('#') || line.starts_with("network\t")) continue;
        CountedNetwork network;
        std::string input;
        std::string params_of_file;
        std::istringstream(line) >> network.name >> input >> network.macs >> network.params >>
            params_of_file >> network.zoo;
        network.params_of_file = params_of_file == "-" ? network.params : std::stoll(params_of_file);
        if (network.zoo == "-") network.zoo.clear();
        networks.push_back(network);
    }
    return networks;
}

TEST(Counts, OfZooModelsAreFvcores) {
    int models = 0;
    for (const CountedNetwork& network : counted_networks()) {
        if (network.zoo.empty()) continue;
        const Graph graph = lower(find_model(network.zoo));
        EXPECT_EQ(graph.macs(), network.macs) << network.zoo;
        EXPECT_EQ(graph.params(), network.params) << network.zoo;
        ++models;
    }
    EXPECT_GE(models, 10);
}

// The files are hundreds of megabytes, so they are not in the repository; `count_networks.py FOLDER` makes them.
TEST(Counts, OfFilesAreFvcores) {
    const char* const folder = std::getenv("HACSCALE_TEST_NETWORKS");
    if (folder == nullptr)
        GTEST_SKIP() << "HACSCALE_TEST_NETWORKS names no folder of ONNX files (count_networks.py)";
    int files = 0;
    for (const CountedNetwork& network : counted_networks()) {
        const std::filesystem::path file = std::filesystem::path(folder) / network.file();
        if (!std::filesystem::exists(file)) continue;
        const Network imported = import_onnx(file);
        EXPECT_EQ(imported.graph.macs(), network.macs) << network.name;
        EXPECT_EQ(imported.graph.params(), network.params_of_file) << network.name;
        ++files;
    }
    EXPECT_GT(files, 0) << folder;
}

// A number that an exporter names by the module's path is a constant of the code, not one of the module's.
TEST(Counts, ConstantsOfTheCodeAreNotLearned) {
    const auto params = [](const std::string& scale) {
        return import_onnx(onnx::model_of({1, 4, 2, 2}, {onnx::node("Mul", {"x", scale}, {"y"})},
                                          {onnx::weights(scale, {4, 1, 1})}),
                           "net")
            .graph.params();
    };
    EXPECT_EQ(params("stages.2.gamma"), 4);
    EXPECT_EQ(params("/stages.2/blocks/Constant_output_0"), 0);
}

}  // namespace
}  // namespace hacscale
