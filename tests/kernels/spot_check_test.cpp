// The check of each layer before its time counts: it passes what is right and names what is not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "kernels/backend/backend.hpp"
#include "models/graph/graph_values.hpp"
#include "models/ops/reference.hpp"
#include "tests/kernels/layer_families.hpp"
#include "tests/kernels/registry.hpp"

namespace hacscale {
namespace {

using ::testing::HasSubstr;

enum class Fault { none, scaled, one_unwritten, one_infinite, last_wrong, size };

// Computes with the reference, and then does one thing wrong.
class FaultyRunner final : public NetworkRunner {
public:
    FaultyRunner(Graph network, int batch, Fault fault)
        : network_(std::move(network)), batch_(batch), fault_(fault) {}

    void load(const std::vector<LayerWeights>& weights) override { weights_ = weights; }
    void set_input(std::size_t index, std::span<const float> nchw) override {
        inputs_.at(index).assign(nchw.begin(), nchw.end());
    }
    void run() override {
        const auto result = reference_graph(network_, batch_, inputs_, weights_).front();
        std::vector<float> written(result.begin(), result.end());
        if (fault_ == Fault::scaled) {
            for (float& value : written) value *= 1.001F;
        }
        if (fault_ == Fault::one_infinite) written[1] = std::numeric_limits<float>::infinity();
        if (fault_ == Fault::last_wrong) written.back() += 1000.0F;
        if (fault_ == Fault::size) written.pop_back();
        if (fault_ == Fault::one_unwritten && !output_.empty()) written[1] = output_[1];
        output_ = std::move(written);
    }
    void run_timed(std::span<double>) override { run(); }
    double time_cold() override { return time_runs(1); }
    void start_layer(int) override {}
    void wait() override {}
    void poison() override {
        const LayerSpec& layer = network_.nodes.back().layer;
        output_.assign(
            static_cast<std::size_t>(batch_) * layer.out_channels * layer.out_height() * layer.out_width(),
            std::numeric_limits<float>::quiet_NaN());
    }
    std::vector<float> output(std::size_t) const override { return output_; }
    std::string implementation(int) const override { return "faulty_kernel"; }
    std::size_t weight_bytes() const override { return 0; }
    std::size_t activation_bytes() const override { return 0; }

private:
    Graph network_;
    int batch_;
    Fault fault_;
    std::vector<LayerWeights> weights_;
    std::vector<std::vector<float>> inputs_{network_.inputs.size()};
    std::vector<float> output_;
};

class FaultyBackend final : public Backend {
public:
    explicit FaultyBackend(Fault fault) : fault_(fault) {}
    std::string name() const override { return "faulty"; }
    std::vector<BackendDevice> devices() const override { return {}; }
    std::string unsupported_reason(const std::string&, DataType) const override { return {}; }
    Layout preferred_layout(const Graph&, const CompileOptions&) const override {
        return Layout::channels_last;
    }
    Compiled compile(const std::string&, const Graph& network, const CompileOptions& options) override {
        if (options.type == DataType::f16) return {nullptr, "no kernel for " + network.nodes[0].layer.key()};
        return {std::make_unique<FaultyRunner>(network, options.batch, fault_), {}};
    }
    std::vector<LayerSpec> peak_layers(DataType) const override { return {}; }
    double copy_bandwidth(const std::string&) const override { return 1.0; }

private:
    Fault fault_;
};

LayerSpec small_conv(bool residual = false) {
    LayerSpec layer;
    layer.in_channels = 6;
    layer.out_channels = 10;
    layer.in_height = layer.in_width = 9;
    layer.window = Window::square(3, 1, 1);
    layer.residual = residual;
    layer.activation = Activation::silu;
    return layer;
}

SpotCheck check(Fault fault, const LayerSpec& layer, DataType type = DataType::f32) {
    FaultyBackend backend(fault);
    return spot_check(backend, "faulty", layer, {2, type});
}

TEST(SpotCheck, PassesTheCpuBackend) {
    Backend& backend = testing::cpu_backend();
    for (const LayerKind kind : testing::all_kinds()) {
        for (const LayerSpec& layer : testing::layer_family(kind, 8, 21)) {
            for (const DataType type : {DataType::f32, DataType::bf16, DataType::i8}) {
                if (!backend.unsupported_reason("cpu", type).empty()) continue;
                const SpotCheck result = spot_check(backend, "cpu", layer, {2, type});
                EXPECT_TRUE(result.right) << layer.key() << ": " << result.reason;
                EXPECT_TRUE(result.reason.empty());
            }
        }
    }
}

TEST(SpotCheck, PassesWhatIsRight) {
    for (const bool residual : {false, true}) {
        const SpotCheck result = check(Fault::none, small_conv(residual));
        EXPECT_TRUE(result.right) << result.reason;
        EXPECT_LT(result.relative_error, 1e-6);
    }
}

TEST(SpotCheck, SaysHowFarAnOutputIsOffAndByWhichKernel) {
    for (const bool residual : {false, true}) {
        const SpotCheck result = check(Fault::scaled, small_conv(residual));
        EXPECT_FALSE(result.right);
        EXPECT_NEAR(result.relative_error, 1e-3, 1e-5);
        EXPECT_THAT(result.reason, HasSubstr("differs from the reference by 0.001"));
        EXPECT_THAT(result.reason, HasSubstr("faulty_kernel"));
    }
}

TEST(SpotCheck, AllowsHalfPrecisionsTheirRounding) {
    EXPECT_TRUE(check(Fault::scaled, small_conv(), DataType::bf16).right);
}

TEST(SpotCheck, SeesOutputsThatAreNotWrittenOrNoNumbers) {
    for (const Fault fault : {Fault::one_unwritten, Fault::one_infinite}) {
        const SpotCheck result = check(fault, small_conv());
        EXPECT_FALSE(result.right);
        EXPECT_THAT(result.reason, HasSubstr("not written or is not a number"));
        EXPECT_THAT(result.reason, HasSubstr("faulty_kernel"));
    }
}

TEST(SpotCheck, LooksAtTheEndOfLargeOutputsToo) {
    LayerSpec layer = small_conv();
    layer.in_height = layer.in_width = 40;  // far more outputs than are compared
    const SpotCheck result = check(Fault::last_wrong, layer);
    EXPECT_FALSE(result.right);
    EXPECT_THAT(result.reason, HasSubstr("differs from the reference"));
}

TEST(SpotCheck, SeesOutputsOfAnotherSize) {
    const SpotCheck result = check(Fault::size, small_conv());
    EXPECT_FALSE(result.right);
    EXPECT_EQ(result.reason, "the output has 1619 numbers instead of 1620 (faulty_kernel)");
}

TEST(SpotCheck, HandsOnWhyALayerCannotRun) {
    const SpotCheck result = check(Fault::none, small_conv(), DataType::f16);
    EXPECT_FALSE(result.right);
    EXPECT_EQ(result.reason, "no kernel for " + small_conv().key());
}

}  // namespace
}  // namespace hacscale
