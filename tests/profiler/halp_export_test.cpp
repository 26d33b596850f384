#include <fmt/format.h>
#include <gmock/gmock.h>

#include <sstream>

#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "profiler/table/detail/pickle.hpp"
#include "profiler/table/export.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

using namespace testing;

using Entries = std::map<std::string, double>;

Entries entries_of(const std::string& pickle) {
    Entries entries;
    for (const auto& [key, value] : detail::read_pickle(pickle, "t.pkl")) {
        EXPECT_TRUE(entries.emplace(key, value).second) << key;
    }
    return entries;
}

class HalpExport : public ::testing::Test {
protected:
    Entries exported(const RowFilter& filter = {}) {
        std::ostringstream out;
        summary_ = write_halp(table_, filter, out);
        EXPECT_EQ(summary_.entries, static_cast<std::int64_t>(entries_of(out.str()).size()));
        std::int64_t left_out = 0;
        for (const auto& [reason, rows] : summary_.left_out) left_out += rows;
        EXPECT_EQ(summary_.written + left_out, summary_.rows);
        return entries_of(out.str());
    }

    TempFolder folder_;
    Table table_ = Table::open(folder_ / "t.db", OpenMode::create, &test_device);
    ExportSummary summary_;
};

// A made-up device: something that differs for all layers and grows with the work.
class MadeUpSource : public LatencySource {
public:
    explicit MadeUpSource(int widest_unknown = 0) : widest_unknown_(widest_unknown) {}

    LatencyEstimate estimate(const LayerSpec& layer) const override {
        if (layer.in_channels <= widest_unknown_) return {};
        const double latency_us = 1.0 + 1e-6 * static_cast<double>(cost_of(layer, 1, DataType::f32).macs) +
                                  (layer.residual ? 0.5 : 0.0);
        return {latency_us,
                layer.out_channels % 64 == 0 ? EstimateKind::measured : EstimateKind::interpolated};
    }

private:
    int widest_unknown_;
};

TEST_F(HalpExport, HasMillisecondsByTheKeysOfItsCode) {
    LayerSpec wide = conv(64, 256);
    wide.window = Window::square(1, 1, 0);
    LayerSpec strided = conv(128, 128, 28);
    strided.window = Window::square(3, 2, 1);
    table_.put(network_row(wide, 100.0, 1 << 20));
    table_.put(network_row(strided, 50.0, 1 << 20));
    table_.put(network_row(depthwise(32, 112), 25.0, 1 << 20));
    EXPECT_EQ(
        exported(),
        (Entries{{"1_64_256_56_1_1_1", 0.1}, {"1_128_128_28_3_2_1", 0.05}, {"1_32_32_112_3_1_32", 0.025}}));
    EXPECT_EQ(summary_.written, 3);
}

TEST_F(HalpExport, OfEqualKeysTheMeanOfLayersCounts) {
    LayerSpec plain = conv(64, 64);
    plain.activation = Activation::none;
    LayerSpec blocked = conv(64, 64);
    blocked.layout = Layout::blocked;
    table_.put(network_row(conv(64, 64), 10.0, 1 << 20));
    table_.put(network_row(conv(64, 64), 14.0, 1 << 24));  // of another network: 12 with the one above
    table_.put(network_row(plain, 6.0, 1 << 20));
    table_.put(network_row(blocked, 99.0, 1 << 20));  // fewer layers have this layout
    Row noisy = network_row(plain, 500.0, 1 << 24);
    noisy.status = RowStatus::noisy;
    noisy.reason = "wide";
    table_.put(noisy);
    EXPECT_EQ(exported(), (Entries{{"1_64_64_56_3_1_1", 0.009}}));
    EXPECT_EQ(summary_.written, 3);
    EXPECT_EQ(summary_.left_out.at("the layer has rows that are not noisy"), 1);
    EXPECT_EQ(summary_.left_out.at("the layer was also measured in the memory layout of most layers"), 1);
}

TEST_F(HalpExport, NamesWhatHasNoKey) {
    LayerSpec grouped = conv(64, 64);
    grouped.groups = 4;
    LayerSpec tall = conv(64, 64);
    tall.in_height = 28;
    LayerSpec dilated = conv(64, 64);
    dilated.window.dilations = {2, 2};
    dilated.window.pads = {2, 2, 2, 2};
    LayerSpec pool;
    pool.kind = LayerKind::global_avg_pool;
    pool.in_channels = pool.out_channels = 64;
    pool.in_height = pool.in_width = 7;
    for (const LayerSpec& layer : {grouped, tall, dilated, pool})
        table_.put(network_row(layer, 1.0, 1 << 20));
    table_.put(failed_row(conv(8, 8)));
    EXPECT_TRUE(exported().empty());
    EXPECT_EQ(summary_.left_out.size(), 5U);
    EXPECT_EQ(summary_.left_out.at("HALP's key has no dilation"), 1);
}

TEST_F(HalpExport, HasSeveralBatchesButOneStateOfTheRest) {
    Row row = network_row(conv(8, 8), 1.0, 1 << 20);
    table_.put(row);
    row.key.batch = 256;
    table_.put(row);
    EXPECT_EQ(exported(), (Entries{{"1_8_8_56_3_1_1", 0.001}, {"256_8_8_56_3_1_1", 0.001}}));
    table_.put(warm_row(conv(8, 8), 1.0));
    std::ostringstream out;
    expect_error<InputError>([&] { write_halp(table_, {}, out); }, {"--dtype", "--cache"});
    EXPECT_EQ(out.str(), "");
}

TEST_F(HalpExport, SaysThatTheOutputFailed) {
    table_.put(network_row(conv(8, 8), 1.0, 1 << 20));
    std::ofstream full("/dev/full");
    EXPECT_THROW(write_halp(table_, {}, full), WorkError);
}

// Every key that HALP's and MDP's code forms while it prunes: channels fall in steps of the grid on either side.
TEST(HalpNetwork, HasAllKeysOfANetworkAndTheSumOfItsConvs) {
    const Graph network = lower(find_model("resnet50"));
    const MadeUpSource source;
    constexpr int grid = 32;
    std::ostringstream out;
    const HalpNetworkSummary summary = write_halp(network, source, 1, grid, out);
    const Entries entries = entries_of(out.str());
    EXPECT_EQ(summary.entries, static_cast<std::int64_t>(entries.size()));
    EXPECT_TRUE(summary.missing.empty());
    EXPECT_GT(summary.interpolated, 0);
    EXPECT_EQ(summary.left_out.size(), 3U) << "two pools and the classifier";
    double sum_ms = 0.0;
    double convs_us = 0.0;
    for (const Node& node : network.nodes) {
        if (node.layer.kind != LayerKind::conv) continue;
        convs_us += source.estimate(node.layer).latency_us;
        sum_ms += entries.at(halp_key(node.layer, 1));
        const bool first = network.producer_of(node) == no_node;
        for (int in = node.layer.in_channels; in > 0; in -= first ? in : grid) {
            for (int out_channels = node.layer.out_channels; out_channels > 0; out_channels -= grid) {
                const std::string key =
                    fmt::format("1_{}_{}_{}_{}_{}_1", in, out_channels, node.layer.in_height,
                                node.layer.kernel(), node.layer.stride());
                EXPECT_TRUE(entries.contains(key)) << key;
            }
        }
    }
    EXPECT_NEAR(1000.0 * sum_ms, convs_us, 1e-6 * convs_us)
        << "of convs that share a key the mean counts, once for each of them";
}

TEST(HalpNetwork, DepthwiseConvsHaveAsManyGroupsAsInputs) {
    std::ostringstream out;
    const HalpNetworkSummary summary =
        write_halp(lower(find_model("mobilenetv1-0.25")), MadeUpSource(16), 256, 8, out);
    const Entries entries = entries_of(out.str());
    EXPECT_TRUE(entries.contains("256_24_24_56_3_1_24")) << "narrower than the network's 32";
    EXPECT_FALSE(summary.missing.empty());
    for (const std::string& key : summary.missing) EXPECT_FALSE(entries.contains(key)) << key;
}

TEST(HalpNetwork, HasAnEndToItsKeys) {
    std::ostringstream out;
    expect_error<InputError>([&] { write_halp(lower(find_model("resnet50")), MadeUpSource(), 1, 1, out); },
                             {"--grid"});
}

}  // namespace
}  // namespace hacscale
