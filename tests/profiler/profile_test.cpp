// A table filled from a device whose times are known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

#include "models/stages/lowering.hpp"
#include "profiler/profile.hpp"
#include "profiler/row_values.hpp"
#include "profiler/table/check.hpp"
#include "tests/profiler/fake_backend.hpp"
#include "tests/profiler/profile_support.hpp"
#include "tests/profiler/scattered.hpp"

namespace hacscale {
namespace {

using namespace testing;
using ::testing::HasSubstr;

class Profile : public ::testing::Test {
protected:
    ProfileSummary run(const std::vector<Network>& host_networks,
                       std::set<CacheState> caches = {CacheState::network}, const WorkEvents& events = {}) {
        ProfileRequest request;
        request.host_networks = host_networks;
        request.settings = settings_;
        request.caches = std::move(caches);
        return profile(device_.handle, table_, request, events);
    }
    Row row(const RowKey& key) { return table_.find(key).value_or(Row{}); }

    TempFolder folder_;
    FakeDevice device_;
    DeviceRecord record_ = device_.record();
    Table table_ = Table::open(folder_ / "t.db", OpenMode::create, &record_);
    MeasureSettings settings_ = quick_settings();
};

TEST_F(Profile, WritesARowForEachLayerOfEachNetwork) {
    const std::vector<Network> host_networks{chain("small", {8, 16}), chain("large", {64, 64, 64})};
    const ProfileSummary summary = run(host_networks);
    const std::set<RowKey> keys = network_keys(host_networks, settings_);
    EXPECT_EQ(table_.size(), static_cast<std::int64_t>(keys.size()));
    EXPECT_EQ(summary.measured, static_cast<int>(keys.size()));
    EXPECT_EQ(summary.reused, 0);
    EXPECT_EQ(summary.failed, 0);
    EXPECT_FALSE(summary.interrupted);
    for (const RowKey& key : keys) {
        const Row row = this->row(key);
        EXPECT_TRUE(has_latency(row.status)) << row.reason;
        EXPECT_NEAR(row.latency_us, device_.machine.latency_us(key.layer), 1e-6);
        EXPECT_GT(row.samples, 0);
        EXPECT_EQ(row.implementation, "fake_" + std::string(name_of(key.layer.kind)));
        EXPECT_FALSE(row.host_network.empty());
        EXPECT_EQ(row.measured_at.size(), 20u);
    }
    ASSERT_EQ(summary.host_networks.size(), 2u);
    EXPECT_EQ(summary.host_networks[0].model, "small");
    EXPECT_EQ(summary.host_networks[1].model, "large");
    for (const HostNetworkResult& host_network : summary.host_networks) {
        EXPECT_TRUE(host_network.measured);
        EXPECT_GT(host_network.total.median, 0.0);
    }
    EXPECT_TRUE(check_table(table_.file()).sound());
}

TEST_F(Profile, MeasuresNothingTwice) {
    const std::vector<Network> host_networks{chain("a", {8, 16}), chain("b", {16, 8})};
    const auto all = {CacheState::network, CacheState::warm, CacheState::cold};
    const ProfileSummary first = run(host_networks, all);
    const int runs = device_.machine.runs;
    const ProfileSummary second = run(host_networks, all);
    EXPECT_EQ(device_.machine.runs, runs);
    EXPECT_EQ(second.measured, 0);
    EXPECT_EQ(second.reused, first.measured);
    EXPECT_TRUE(second.host_networks.empty());
}

TEST_F(Profile, MeasuresWhatANewNetworkAddsOnly) {
    const Network known = chain("known", {8, 16});
    run({known});
    const int runs = device_.machine.runs;
    const ProfileSummary summary = run({known, chain("new", {96, 96})});
    EXPECT_EQ(summary.host_networks.size(), 1u);
    EXPECT_EQ(summary.host_networks.front().model, "new");
    EXPECT_GT(device_.machine.runs, runs);
    EXPECT_EQ(summary.reused, static_cast<int>(network_keys({known}, settings_).size()));
}

TEST_F(Profile, RunsEverythingAgainWhenAsked) {
    ProfileRequest request;
    request.host_networks = {chain("a", {8, 16})};
    request.settings = settings_;
    request.run_all = true;
    profile(device_.handle, table_, request, {});
    const RowKey key = *network_keys(request.host_networks, settings_).begin();
    const Row before = row(key);
    device_.machine.before_run = [&](const Graph& network) {
        device_.machine.slowdown = is_reference(network) ? 1.0 : 2.0;
    };
    profile(device_.handle, table_, request, {});
    const Row after = row(key);
    EXPECT_GT(after.samples, before.samples);
    // The mean of both, weighted by samples.
    const double share = static_cast<double>(before.samples) / static_cast<double>(after.samples);
    EXPECT_NEAR(after.latency_us, before.latency_us * (share + 2.0 * (1.0 - share)), 1e-6);
}

TEST_F(Profile, RowsOfASlowMachineAreMeasuredAgainOnceThereAreOthers) {
    take_long(device_.machine);
    settings_.rules.max_seconds = 0.1;
    const Network slow = chain("slow", {8, 16});
    const Network fast = chain("fast", {64, 96});
    device_.machine.slowdown = 1.5;
    run({slow});
    EXPECT_EQ(run({slow}).measured, 0) << "there is no faster row";
    device_.machine.slowdown = 1.0;
    EXPECT_TRUE(run({fast}).host_networks.front().converged);

    // Of what is slower still, nothing is kept.
    device_.machine.slowdown = 2.0;
    const std::vector<Row> before = table_.query({});
    EXPECT_EQ(run({slow, fast}).host_networks.size(), 1U);
    EXPECT_EQ(table_.query({}), before);

    device_.machine.slowdown = 1.0;
    const ProfileSummary again = run({slow, fast});
    ASSERT_EQ(again.host_networks.size(), 1U);
    EXPECT_EQ(again.host_networks.front().model, "slow");
    for (const RowKey& key : network_keys({slow, fast}, settings_)) {
        EXPECT_NEAR(row(key).latency_us, device_.machine.latency_us(key.layer), 1e-6);
        EXPECT_FALSE(row(key).machine_was_slower(table_.fastest_reference_us(DataType::f32)));
    }
    EXPECT_EQ(run({slow, fast}).measured, 0);
}

TEST_F(Profile, WaitsForThePaceOfTheTablesRows) {
    take_long(device_.machine);
    settings_.rules.max_seconds = 0.1;
    run({chain("before", {8, 16})});
    device_.machine.slowdown = 1.5;
    settings_.speeds = std::make_shared<SpeedHistories>();  // as in another process
    const std::vector<Network> later{chain("later", {64, 96})};
    EXPECT_FALSE(run(later).host_networks.front().converged);
    EXPECT_THAT(row(*network_keys(later, settings_).rbegin()).reason, HasSubstr("the machine was slower"));
}

TEST_F(Profile, UnitesLayersThatStandInSeveralNetworksOfOneGroup) {
    // Both are small enough for one footprint, and the machine is twice as slow in the longer one.
    const std::vector<Network> host_networks{chain("short", {8, 16}), chain("long", {8, 16, 24})};
    const std::size_t longer = host_networks[1].graph.nodes.size();
    device_.machine.before_run = [&](const Graph& network) {
        device_.machine.slowdown = network.nodes.size() == longer ? 2.0 : 1.0;
    };
    const std::set<RowKey> shared = [&] {
        const std::set<RowKey> first = network_keys({host_networks[0]}, settings_);
        const std::set<RowKey> second = network_keys({host_networks[1]}, settings_);
        std::set<RowKey> both;
        std::set_intersection(first.begin(), first.end(), second.begin(), second.end(),
                              std::inserter(both, both.end()));
        return both;
    }();
    ASSERT_FALSE(shared.empty());
    const ProfileSummary summary = run(host_networks);
    EXPECT_EQ(summary.measured, static_cast<int>(table_.size())) << "a row counts once";
    for (const RowKey& key : shared) {
        const double ratio = row(key).latency_us / device_.machine.latency_us(key.layer);
        EXPECT_GT(ratio, 1.05) << "the longer network's times are in it";
        EXPECT_LT(ratio, 1.95) << "the shorter network's times are in it";
    }
}

TEST_F(Profile, SaysWhyANetworkCannotRun) {
    device_.machine.supported = [](const LayerSpec& layer) { return layer.out_channels != 24; };
    const std::vector<Network> host_networks{chain("cannot", {24, 64}), chain("can", {8, 64})};
    const ProfileSummary summary = run(host_networks);
    const std::set<RowKey> cannot = network_keys({host_networks[0]}, settings_);
    const std::set<RowKey> can = network_keys({host_networks[1]}, settings_);
    int blamed = 0;
    for (const RowKey& key : cannot) {
        if (can.contains(key)) continue;
        if (key.layer.out_channels != 24) {
            EXPECT_NEAR(row(key).latency_us, device_.machine.latency_us(key.layer), 1e-6)
                << "is not to blame";
            continue;
        }
        ++blamed;
        EXPECT_EQ(row(key).status, RowStatus::unsupported) << key.layer.key();
        EXPECT_THAT(row(key).reason, HasSubstr("no kernel for conv_i8x4x4_o24"));
        EXPECT_EQ(row(key).latency_us, 0.0);
    }
    EXPECT_EQ(blamed, 1);
    for (const RowKey& key : can) EXPECT_TRUE(has_latency(row(key).status)) << row(key).reason;
    ASSERT_EQ(summary.host_networks.size(), 2U) << "what is left of a network is none of them";
    EXPECT_FALSE(summary.host_networks[0].measured);
    EXPECT_TRUE(summary.host_networks[1].measured);
    ASSERT_EQ(summary.parts.size(), 1U);
    EXPECT_EQ(summary.parts[0].model, "cannot");
    EXPECT_EQ(summary.parts[0].dropped, 1U);
    EXPECT_EQ(summary.parts[0].layers, host_networks[0].graph.nodes.size());
    EXPECT_THAT(summary.parts[0].first_dropped, HasSubstr("conv_i8x4x4_o24"));
    EXPECT_GT(summary.failed, 0);
    const NetworkEstimate estimate = predict(table_, host_networks[0].graph, settings_, CacheState::network);
    EXPECT_EQ(estimate.missing_layers, 1)
        << "its neighbours do not say how long a layer takes that cannot run";
    // What cannot run here is not tried again.
    const int compiled = device_.machine.compiled;
    run(host_networks);
    EXPECT_EQ(device_.machine.compiled, compiled);
}

// Another process had the memory, or a kernel failed: that is told of the row, and asked again.
TEST_F(Profile, AsksAgainForWhatMayPass) {
    const std::vector<Network> host_networks{chain("short", {8, 16})};
    const std::set<CacheState> caches{CacheState::network, CacheState::warm};
    device_.machine.whole_network_unsupported_reason = [](const Graph& network) {
        return is_reference(network) ? "" : "out of device memory";
    };
    const ProfileSummary summary = run(host_networks, caches);
    EXPECT_GT(summary.failed, 0);
    EXPECT_EQ(summary.failed, summary.measured);
    for (const Row& row : table_.query({})) {
        EXPECT_EQ(row.status, RowStatus::failed);
        EXPECT_THAT(row.reason, HasSubstr("out of device memory"));
    }
    device_.machine.whole_network_unsupported_reason = [](const Graph&) { return std::string(); };
    EXPECT_EQ(run(host_networks, caches).failed, 0);
    for (const Row& row : table_.query({})) EXPECT_TRUE(has_latency(row.status)) << row.reason;
}

TEST_F(Profile, TriesANetworkAloneWhenTheDeviceIsTooSmallForItsGroup) {
    device_.machine.whole_network_unsupported_reason = [this](const Graph& network) {
        const bool small = network.nodes.size() <= 4 || is_reference(network);
        return !small && device_.machine.alive > 0 ? "out of device memory" : "";
    };
    const std::vector<Network> host_networks{chain("a", {8, 16}), chain("b", {24, 64})};
    const ProfileSummary summary = run(host_networks);
    EXPECT_EQ(summary.failed, 0);
    for (const RowKey& key : network_keys(host_networks, settings_))
        EXPECT_TRUE(has_latency(row(key).status));
}

TEST_F(Profile, SaysThatTheDeviceIsTooSmallForANetwork) {
    device_.machine.whole_network_unsupported_reason = [](const Graph& network) {
        return network.nodes.size() > 5 && !is_reference(network) ? "out of device memory" : "";
    };
    const std::vector<Network> host_networks{chain("big", {8, 16, 32, 64}), chain("small", {8, 16})};
    const ProfileSummary summary = run(host_networks);
    const std::set<RowKey> small = network_keys({host_networks[1]}, settings_);
    EXPECT_GT(summary.failed, 0);
    for (const RowKey& key : network_keys(host_networks, settings_)) {
        if (small.contains(key)) {
            EXPECT_TRUE(has_latency(row(key).status)) << key.layer.key();
            continue;
        }
        EXPECT_EQ(row(key).status, RowStatus::failed);
        EXPECT_THAT(row(key).reason, HasSubstr("big could not be measured: out of device memory"));
    }
}

TEST_F(Profile, KeepsNoTimeOfALayerWhoseOutputIsWrong) {
    device_.machine.right = [](const LayerSpec& layer) { return layer.out_channels != 16; };
    const std::vector<Network> host_networks{chain("wrong", {16, 8})};
    const ProfileSummary summary = run(host_networks, {CacheState::network, CacheState::warm});
    EXPECT_EQ(summary.failed, 2);
    for (const RowKey& key : network_keys(host_networks, settings_)) {
        if (key.layer.out_channels != 16) {
            EXPECT_TRUE(has_latency(row(key).status));
            continue;
        }
        EXPECT_EQ(row(key).status, RowStatus::failed);
        EXPECT_THAT(row(key).reason, HasSubstr("differs from the reference"));
        EXPECT_THAT(row(key).reason, HasSubstr("fake_conv"));
        EXPECT_EQ(row(key).latency_us, 0.0);
    }
    // Failed rows are tried again, and the mended kernel's time is kept.
    device_.machine.right = [](const LayerSpec&) { return true; };
    const ProfileSummary mended = run(host_networks);
    EXPECT_EQ(mended.failed, 0);
    for (const RowKey& key : network_keys(host_networks, settings_))
        EXPECT_TRUE(has_latency(row(key).status));
}

TEST_F(Profile, KeepsATimeThatALaterFailureHasNoneFor) {
    ProfileRequest request;
    request.host_networks = {chain("a", {16, 8})};
    request.settings = settings_;
    request.run_all = true;
    profile(device_.handle, table_, request, {});
    const std::vector<Row> before = table_.query({});
    device_.machine.right = [](const LayerSpec&) { return false; };
    profile(device_.handle, table_, request, {});
    EXPECT_EQ(table_.query({}), before);
    device_.machine.supported = [](const LayerSpec& layer) { return layer.kernel() == 3; };
    profile(device_.handle, table_, request, {});
    EXPECT_EQ(table_.query({}), before);
}

TEST_F(Profile, ChecksNothingWhenToldNotTo) {
    device_.machine.right = [](const LayerSpec&) { return false; };
    const ProfileSummary summary =
        profile(device_.handle, table_,
                {.host_networks = {chain("a", {8})}, .settings = settings_, .check_outputs = false}, {});
    EXPECT_EQ(summary.failed, 0);
}

TEST_F(Profile, TellsWarmAndColdApart) {
    device_.machine.latency_us = [](const LayerSpec& layer) { return 5.0 + layer.out_channels; };
    device_.machine.cold_factor = 3.0;
    const Network model = chain("a", {8, 16});
    const Graph network = model.graph;
    const ProfileSummary summary = run({model}, {CacheState::warm, CacheState::cold});
    EXPECT_TRUE(summary.host_networks.empty());
    EXPECT_EQ(table_.size(), 2 * static_cast<std::int64_t>(network.nodes.size()));
    for (const Node& node : network.nodes) {
        const double truth_us = device_.machine.latency_us(node.layer);
        const Row warm = row(row_key(node.layer, network, settings_, CacheState::warm));
        const Row cold = row(row_key(node.layer, network, settings_, CacheState::cold));
        EXPECT_EQ(warm.key.footprint_bytes, 0);
        EXPECT_GE(warm.latency_us, 0.99 * truth_us);
        EXPECT_LE(warm.latency_us, 1.3 * truth_us);
        EXPECT_GE(cold.latency_us, 0.99 * 3.0 * truth_us);
        EXPECT_LE(cold.latency_us, 1.3 * 3.0 * truth_us);
        EXPECT_TRUE(warm.host_network.empty());
    }
    const double predicted = predict(table_, network, settings_, CacheState::cold).latency_us;
    EXPECT_NEAR(predicted, 3.0 * device_.truth_us(network), 0.3 * 3.0 * device_.truth_us(network));
}

TEST_F(Profile, PredictionIsTheSumOfTheRows) {
    const Network model = chain("a", {32, 32, 32, 48});
    const Graph network = model.graph;
    settings_.batch = 3;
    run({model});
    const NetworkEstimate estimate = predict(table_, network, settings_, CacheState::network);
    double sum = 0.0;
    for (const Node& node : network.nodes) {
        sum += row(row_key(node.layer, network, settings_, CacheState::network)).latency_us;
    }
    EXPECT_DOUBLE_EQ(estimate.latency_us, sum);
    EXPECT_NEAR(estimate.latency_us, device_.truth_us(network, 3), 1e-6);
    EXPECT_EQ(estimate.missing_layers, 0);
    EXPECT_EQ(estimate.interpolated_layers, 0);
    settings_.batch = 1;
    EXPECT_EQ(predict(table_, network, settings_, CacheState::network).missing_layers,
              static_cast<int>(network.nodes.size()))
        << "another batch is another measurement";
}

TEST_F(Profile, CallsRowsNoisyWhenTheTimeWasUp) {
    settings_.rules.target_half_width = 1e-9;
    settings_.rules.max_seconds = 0.01;
    device_.machine.spike = scattered;
    const ProfileSummary summary = run({chain("a", {8})}, {CacheState::network, CacheState::warm});
    EXPECT_EQ(summary.noisy, summary.measured);
    EXPECT_FALSE(summary.host_networks.front().converged);
    table_.for_each({}, [](const Row& row) {
        EXPECT_EQ(row.status, RowStatus::noisy);
        EXPECT_THAT(row.reason,
                    ::testing::AnyOf(HasSubstr("when the time was up"), HasSubstr("slower all the time")));
        EXPECT_GT(row.latency_us, 0.0);
    });
    EXPECT_EQ(run({chain("a", {8})}).measured, 0) << "noisy rows are kept, not tried for ever";
}

TEST_F(Profile, MeasuresNoisyRowsAgainWhereAsked) {
    const TimingRules usual = settings_.rules;
    const auto spike = device_.machine.spike;
    settings_.rules.target_half_width = 1e-9;
    settings_.rules.max_seconds = 0.01;
    device_.machine.spike = scattered;
    const Network model = chain("a", {8});
    const int noisy = run({model}).noisy;
    ASSERT_GT(noisy, 0);
    settings_.rules = usual;
    device_.machine.spike = spike;
    ProfileRequest request;
    request.host_networks = {model};
    request.settings = settings_;
    request.noisy_until = "1970-01-01T00:00:00Z";
    EXPECT_EQ(profile(device_.handle, table_, request, {}).measured, 0) << "rows are younger";
    request.noisy_until = "9999-01-01T00:00:00Z";
    EXPECT_EQ(profile(device_.handle, table_, request, {}).measured, noisy);
    table_.for_each({}, [](const Row& row) { EXPECT_EQ(row.status, RowStatus::ok) << row.reason; });
    EXPECT_EQ(profile(device_.handle, table_, request, {}).measured, 0) << "none is noisy now";
}

TEST_F(Profile, MeasuresNoisyRowsAgainAfterTheClockWasSetBack) {
    const Network model = chain("a", {8});
    const int measured = run({model}).measured;
    std::vector<Row> rows = table_.query({});
    for (Row& row : rows) {
        row.status = RowStatus::noisy;
        row.reason = "the time was up";
        row.measured_at = "9998-01-01T00:00:00Z";
    }
    table_.put(rows);
    ProfileRequest request;
    request.host_networks = {model};
    request.settings = settings_;
    EXPECT_EQ(profile(device_.handle, table_, request, {}).measured, 0) << "nobody asked for it";
    request.noisy_until = "1970-01-01T00:00:00Z";
    EXPECT_EQ(profile(device_.handle, table_, request, {}).measured, measured);
}

// Two passes bring the caches into their state, the third takes all the time there is, and the fourth tells
// the layers apart: how far a single pass is off, nobody knows.
TEST_F(Profile, OfOnePassAllThatIsKnownIsItsTime) {
    settings_.rules = {.max_seconds = 0.0, .burst_us = 0.0};
    int runs = 0;
    device_.machine.before_run = [&](const Graph& network) {
        if (network.nodes.size() > 1 && !is_reference(network) && ++runs % 4 == 3) {
            device_.machine.clock_us += 0.3e6;
        }
    };
    run({chain("a", {8})});
    ASSERT_GT(table_.size(), 0);
    table_.for_each({}, [](const Row& row) {
        EXPECT_EQ(row.status, RowStatus::noisy);
        EXPECT_EQ(row.samples, 1);
        EXPECT_EQ(row.ci95_us, row.latency_us);
    });
}

TEST_F(Profile, TellsHowFarItIs) {
    std::vector<std::pair<double, double>> steps;
    WorkEvents events;
    events.progress = [&](double done, double total, const std::string&) { steps.emplace_back(done, total); };
    run(many_chains(), {CacheState::network}, events);
    ASSERT_GE(steps.size(), 3u);
    EXPECT_EQ(steps.front().first, 0.0);
    EXPECT_EQ(steps.back().first, steps.back().second);
    EXPECT_TRUE(std::is_sorted(steps.begin(), steps.end()));
    EXPECT_EQ(steps.back().second, static_cast<double>(many_chains().size()));
}

}  // namespace
}  // namespace hacscale
