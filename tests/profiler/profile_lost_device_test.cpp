// A device that is lost on the way: what was measured stays, what took it along says so, and a process after
// it continues.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "models/stages/lowering.hpp"
#include "profiler/profile.hpp"
#include "profiler/row_values.hpp"
#include "profiler/timing/rounds.hpp"
#include "tests/profiler/fake_instruments.hpp"
#include "tests/profiler/profile_support.hpp"

namespace hacscale {
namespace {

using namespace testing;
using ::testing::HasSubstr;

constexpr int culprit = 24;  // channels of the layer that the device does not survive

bool has_culprit(const Graph& network) {
    return std::any_of(network.nodes.begin(), network.nodes.end(),
                       [](const Node& node) { return node.layer.out_channels == culprit; });
}

class LostDevice : public ::testing::Test {
protected:
    // Each call is a process of its own: the device is well again. Whether it was lost.
    bool run(bool retry_failed) {
        FakeDevice device;
        bool lost = false;
        device.machine.before_run = [&](const Graph& network) {
            lost = lost || (when_ == When::running && network.nodes.size() >= least_nodes_ && dies(network));
            if (lost) throw DeviceLost("illegal address");
        };
        device.machine.before_compile = [&](const Graph& network) {
            lost =
                lost || (when_ == When::compiling && network.nodes.size() >= least_nodes_ && dies(network));
            if (lost) throw DeviceLost("illegal address");
        };
        FakeInstruments instruments;
        instruments.tell = [](int) { return DeviceState{}; };
        instruments.read = [&](const Node& node, int) {
            lost = lost || (when_ == When::inspecting && node.layer.out_channels == culprit);
            if (lost) throw DeviceLost("illegal address");
            return LayerReadings{};
        };
        request_.settings.instruments = when_ == When::inspecting ? &instruments : nullptr;
        request_.retry_failed = retry_failed;
        const DeviceRecord record = device.record();
        Table table = Table::open(file_, OpenMode::create, &record);
        try {
            summary_ = profile(device.handle, table, request_, {});
            return false;
        } catch (const DeviceLost&) {
            return true;
        }
    }
    // As the program does it; the number of processes that it took.
    int run_to_the_end() {
        int processes = 1;
        for (bool lost = run(true); lost && processes < 9; ++processes) lost = run(false);
        return processes;
    }
    std::optional<Row> row(const RowKey& key) const { return Table::open(file_, OpenMode::read).find(key); }

    void expect_all_but_the_culprits_network() {
        const std::set<RowKey> lost = network_keys({request_.host_networks[1]}, request_.settings);
        std::set<RowKey> others;
        for (const Network& model : request_.host_networks) {
            if (model.name != request_.host_networks[1].name) {
                others.merge(network_keys({model}, request_.settings));
            }
        }
        for (const RowKey& key : others) {
            ASSERT_TRUE(row(key).has_value()) << key.layer.key();
            EXPECT_TRUE(has_latency(row(key)->status)) << row(key)->reason;
        }
        int failed = 0;
        for (const RowKey& key : lost) {
            if (others.contains(key)) continue;
            ++failed;
            ASSERT_TRUE(row(key).has_value()) << key.layer.key();
            EXPECT_EQ(row(key)->status, RowStatus::failed);
            EXPECT_THAT(row(key)->reason, HasSubstr("fatal could not be measured: illegal address"));
        }
        EXPECT_GT(failed, 0);
        EXPECT_EQ(summary_.given_up, failed);
    }

    static bool dies(const Graph& network) { return has_culprit(network); }
    enum class When { compiling, running, inspecting };
    When when_ = When::running;
    std::size_t least_nodes_ = 2;

    TempFolder folder_;
    std::filesystem::path file_ = folder_ / "t.db";
    ProfileRequest request_ = [] {
        ProfileRequest request;
        request.host_networks = {chain("first", {8, 16}), chain("fatal", {culprit, 40}),
                                 chain("third", {32, 64})};
        request.settings = quick_settings();
        request.settings.energy_seconds = 0.0;
        return request;
    }();
    ProfileSummary summary_;
};

TEST_F(LostDevice, GoesOnWithoutTheNetworkThatItWasLostIn) {
    for (const When when : {When::running, When::compiling, When::inspecting}) {
        when_ = when;
        std::filesystem::remove(file_);
        SCOPED_TRACE(static_cast<int>(when));
        EXPECT_EQ(run_to_the_end(), 3 - 1);
        expect_all_but_the_culprits_network();
    }
}

TEST_F(LostDevice, IsTriedAgainByTheNextCommand) {
    run_to_the_end();
    when_ = When::inspecting;
    request_.host_networks[1] = chain("fatal", {48, 40});
    EXPECT_FALSE(run(true));
    for (const RowKey& key : network_keys(request_.host_networks, request_.settings)) {
        EXPECT_TRUE(has_latency(row(key)->status));
    }
}

TEST_F(LostDevice, BlamesTheLayerThatItWasLostOnAlone) {
    // Whole networks run; the layer alone, as it is checked, does not survive.
    least_nodes_ = 1;
    when_ = When::compiling;
    request_.host_networks = {chain("a", {8, 16}), chain("b", {culprit, 40})};
    int processes = 0;
    // In networks it is well.
    for (bool lost = true; lost && processes < 9; ++processes) {
        FakeDevice device;
        bool gone = false;
        device.machine.before_compile = [&](const Graph& network) {
            gone = gone || (network.nodes.size() == 1 && has_culprit(network));
            if (gone) throw DeviceLost("illegal address");
        };
        request_.retry_failed = processes == 0;
        const DeviceRecord record = device.record();
        Table table = Table::open(file_, OpenMode::create, &record);
        try {
            summary_ = profile(device.handle, table, request_, {});
            lost = false;
        } catch (const DeviceLost&) {
        }
    }
    EXPECT_LE(processes, 4);
    for (const RowKey& key : network_keys(request_.host_networks, request_.settings)) {
        ASSERT_TRUE(row(key).has_value()) << key.layer.key();
        if (key.layer.kind == LayerKind::conv && key.layer.out_channels == culprit) {
            EXPECT_EQ(row(key)->status, RowStatus::failed);
            EXPECT_THAT(row(key)->reason, HasSubstr("its output was checked alone as fake_conv"));
        } else if (key.layer.out_channels != culprit) {
            EXPECT_TRUE(has_latency(row(key)->status)) << row(key)->reason;
        }
    }
}

TEST_F(LostDevice, LosesOneRowOfLayersThatRunAlone) {
    for (const When when : {When::running, When::compiling, When::inspecting}) {
        SCOPED_TRACE(static_cast<int>(when));
        when_ = when;
        least_nodes_ = 1;
        std::filesystem::remove(file_);
        request_.caches = {CacheState::warm};
        request_.host_networks = {chain("a", {8, 16}), chain("b", {culprit, 40})};
        EXPECT_EQ(run_to_the_end(), 2);
        int failed = 0;
        for (const Node& node : request_.host_networks[1].graph.nodes) {
            const auto key = row_key(node.layer, {}, request_.settings, CacheState::warm);
            ASSERT_TRUE(row(key).has_value()) << key.layer.key();
            if (has_latency(row(key)->status)) continue;
            ++failed;
            EXPECT_EQ(key.layer.out_channels, culprit);
            EXPECT_THAT(row(key)->reason, HasSubstr("illegal address"));
        }
        EXPECT_EQ(failed, when == When::inspecting ? 0 : 1) << "a row that has its time keeps it";
    }
}

}  // namespace
}  // namespace hacscale
