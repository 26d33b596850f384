// What the instruments of a device put into its table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "models/stages/lowering.hpp"
#include "profiler/profile.hpp"
#include "profiler/row_values.hpp"
#include "tests/profiler/fake_instruments.hpp"
#include "tests/profiler/profile_support.hpp"

namespace hacscale {
namespace {

using namespace testing;
using ::testing::HasSubstr;

class ProfileReadings : public ::testing::Test {
protected:
    ProfileReadings() {
        request_.host_networks = {chain("a", {8, 16, 16})};
        request_.settings = quick_settings();
        request_.settings.instruments = &instruments_;
        request_.settings.cool_down_seconds = 0.0;
        request_.settings.energy_seconds = 0.05;
    }
    ProfileSummary run() { return profile(device_.handle, table_, request_, {}); }

    TempFolder folder_;
    FakeDevice device_;
    FakeInstruments instruments_;
    DeviceRecord record_ = device_.record();
    Table table_ = Table::open(folder_ / "t.db", OpenMode::create, &record_);
    ProfileRequest request_;
};

TEST_F(ProfileReadings, StandInEachRow) {
    request_.caches = {CacheState::network, CacheState::warm, CacheState::cold};
    run();
    ASSERT_GT(table_.size(), 0);
    table_.for_each({}, [&](const Row& row) {
        const double out = row.key.layer.out_channels;
        const Readings& readings = row.readings;
        EXPECT_EQ(readings.kernel_time_us, 0.5 * out);
        EXPECT_EQ(readings.occupancy_achieved, 0.5);
        EXPECT_EQ(readings.sm_clock_mhz, 1980.0);
        EXPECT_EQ(readings.power_w, 400.0);
        EXPECT_EQ(readings.dram_bytes, std::nullopt);
        EXPECT_EQ(readings.reasons.at("dram_bytes"), "no privilege");
        EXPECT_EQ(readings.reasons.at("memory_clock_mhz"), "not told");
        EXPECT_FALSE(readings.reasons.contains("occupancy_achieved"));
        EXPECT_THAT(readings.reasons.at("energy_mj"),
                    HasSubstr(row.key.cache == CacheState::network ? "no counter" : "whole networks"));
        ASSERT_EQ(readings.kernels.size(), 1u);
        EXPECT_EQ(readings.kernels[0].name, "kernel_of_" + row.key.layer.key());
    });
}

TEST_F(ProfileReadings, AreAbsentWithoutInstruments) {
    request_.settings.instruments = nullptr;
    run();
    table_.for_each({}, [](const Row& row) { EXPECT_EQ(row.readings, Readings{}); });
    EXPECT_EQ(instruments_.asked, 0);
}

TEST_F(ProfileReadings, AreTheMeanOverTheLayersPlaces) {
    instruments_.read = [](const Node&, int position) {
        LayerReadings readings;
        readings.sm_busy = 0.1 * position;
        if (position % 2 == 0) readings.l2_hit_rate = 0.25;
        if (position % 2 == 1) readings.reasons["l2_hit_rate"] = "lost";
        return readings;
    };
    // Both inner convs are the same layer.
    request_.host_networks = {chain("a", {8, 8})};
    run();
    const Graph network = request_.host_networks[0].graph;
    const Row row =
        table_.find(row_key(network.nodes[1].layer, network, request_.settings, CacheState::network)).value();
    EXPECT_NEAR(row.readings.sm_busy.value(), 0.15, 1e-12);
    EXPECT_EQ(row.readings.l2_hit_rate, 0.25);
    EXPECT_FALSE(row.readings.reasons.contains("l2_hit_rate"));
}

TEST_F(ProfileReadings, ShareTheEnergyOfTheNetworkByTime) {
    // Three millijoules an inference; the counter moves every 8 ms, and asking it takes 5 ms.
    const double inference_us = device_.truth_us(request_.host_networks[0].graph);
    instruments_.count_energy = [this, inference_us] {
        constexpr double step_us = 8e3;
        device_.machine.clock_us += 5e3;
        return EnergyCounter{3.0 / inference_us * step_us * std::floor(device_.machine.clock_us / step_us),
                             {}};
    };
    run();
    const Graph network = request_.host_networks[0].graph;
    double sum_mj = 0.0;
    for (const Node& node : network.nodes) {
        const Row row =
            table_.find(row_key(node.layer, network, request_.settings, CacheState::network)).value();
        ASSERT_TRUE(row.readings.energy_mj.has_value()) << row.readings.reasons.at("energy_mj");
        EXPECT_FALSE(row.readings.reasons.contains("energy_mj"));
        sum_mj += *row.readings.energy_mj;
    }
    EXPECT_NEAR(sum_mj, 3.0, 0.3);
}

TEST_F(ProfileReadings, LeaveTheEnergyOutWhenItsCounterStandsStill) {
    instruments_.count_energy = [this] {
        device_.machine.clock_us += 100.0;
        return EnergyCounter{1000.0, {}};
    };
    run();
    table_.for_each({}, [](const Row& row) {
        EXPECT_EQ(row.readings.energy_mj, std::nullopt);
        EXPECT_THAT(row.readings.reasons.at("energy_mj"), HasSubstr("does not move"));
    });
}

// The pauses would be counted as energy of the inferences.
TEST_F(ProfileReadings, LeaveTheEnergyOutWhenTheDeviceWaits) {
    instruments_.count_energy = [this] {
        device_.machine.clock_us += 30e3;  // longer than what runs meanwhile
        return EnergyCounter{0.4 * device_.machine.clock_us, {}};
    };
    run();
    table_.for_each({}, [](const Row& row) {
        EXPECT_EQ(row.readings.energy_mj, std::nullopt);
        EXPECT_THAT(row.readings.reasons.at("energy_mj"), HasSubstr("the device computed only 66."));
    });
}

TEST_F(ProfileReadings, TellOfDroppedRecords) {
    instruments_.dropped = 5;
    instruments_.dropped_each_time = 3;
    EXPECT_EQ(run().dropped_records, 3);
}

// Says of the first `groups` attempts that the device was throttled as they ended.
std::function<DeviceState(int)> throttled_at_first(int groups) {
    return [groups](int call) {
        DeviceState state;
        state.throttled = call % 2 == 1 && call / 2 < groups;
        if (state.throttled) state.throttle_reasons = "power cap";
        return state;
    };
}

TEST_F(ProfileReadings, RepeatWhatWasThrottled) {
    for (const CacheState cache : {CacheState::network, CacheState::warm}) {
        SCOPED_TRACE(name_of(cache));
        request_.caches = {cache};
        instruments_.asked = 0;
        instruments_.tell = throttled_at_first(2);
        run();
        RowFilter filter;
        filter.cache = cache;
        table_.for_each(filter, [](const Row& row) {
            EXPECT_EQ(row.readings.throttle_reasons, "");
            EXPECT_EQ(row.reason.find("clocks"), std::string::npos) << row.reason;
        });
        EXPECT_GE(instruments_.asked, 6) << "three attempts";
    }
}

TEST_F(ProfileReadings, CallRowsNoisyThatStayedThrottled) {
    for (const CacheState cache : {CacheState::network, CacheState::warm}) {
        SCOPED_TRACE(name_of(cache));
        request_.caches = {cache};
        instruments_.asked = 0;
        instruments_.tell = throttled_at_first(100);
        EXPECT_GT(run().noisy, 0);
        RowFilter filter;
        filter.cache = cache;
        table_.for_each(filter, [](const Row& row) {
            EXPECT_EQ(row.status, RowStatus::noisy);
            EXPECT_THAT(row.reason, HasSubstr("held its clocks down"));
            EXPECT_THAT(row.reason, HasSubstr("power cap"));
            EXPECT_EQ(row.readings.throttle_reasons, "power cap");
            EXPECT_GT(row.latency_us, 0.0);
        });
    }
}

}  // namespace
}  // namespace hacscale
