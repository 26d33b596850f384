// Networks from ONNX files on the GPU: graphs with the layers that importers bring, of several inputs and outputs.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "kernels/cuda/cuda_device.hpp"
#include "models/formats/onnx_import/onnx_import.hpp"
#include "models/graph/graph_values.hpp"
#include "models/ops/reference.hpp"
#include "tests/gpu/gpu.hpp"

namespace hacscale {
namespace {

class GpuImportedNetwork : public testing::GpuTest, public ::testing::WithParamInterface<DataType> {};

TEST_P(GpuImportedNetwork, EqualsTheReference) {
    if (const std::string reason = backend().unsupported_reason(device(), GetParam()); !reason.empty()) {
        GTEST_SKIP() << "skipped: " << reason;
    }
    const std::filesystem::path files = HACSCALE_SOURCE_DIR "/tests/fuzz/seeds/onnx";
    if (!std::filesystem::exists(files)) GTEST_SKIP() << "skipped: " << files << " is not here";
    int networks = 0;
    for (const auto& entry : std::filesystem::directory_iterator(files)) {
        if (entry.path().extension() != ".onnx") continue;
        SCOPED_TRACE(entry.path().filename().string());
        const Network network = import_onnx(entry.path());
        const Compiled compiled = backend().compile(device(), network.graph, {2, GetParam()});
        ASSERT_TRUE(compiled.runner) << compiled.reason;
        const auto inputs = random_inputs(network.graph, 2, 21);
        compiled.runner->load(network.weights);
        set_inputs(*compiled.runner, inputs);
        compiled.runner->poison();
        compiled.runner->run();
        const auto expected = reference_graph(network.graph, 2, inputs, network.weights);
        for (std::size_t i = 0; i < expected.size(); ++i) {
            EXPECT_LT(relative_error(compiled.runner->output(i), expected[i]),
                      GetParam() == DataType::f32 ? 1e-4 : 5e-2)
                << "output " << i;
        }
        ++networks;
    }
    EXPECT_GT(networks, 4);
}

INSTANTIATE_TEST_SUITE_P(Types, GpuImportedNetwork, ::testing::ValuesIn(cuda::data_types),
                         [](const auto& tested) { return std::string(name_of(tested.param)); });

}  // namespace
}  // namespace hacscale
