// Instruments that tell what a test says they tell.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "profiler/instruments/instruments.hpp"

namespace hacscale::testing {

class FakeInstruments final : public Instruments {
public:
    std::function<LayerReadings(const Node& node, int position)> read = [](const Node& node, int) {
        LayerReadings readings;
        readings.kernel_time_us = 0.5 * node.layer.out_channels;
        readings.occupancy_theoretical = 0.75;
        readings.occupancy_achieved = 0.5;
        readings.reasons["dram_bytes"] = "no privilege";
        readings.kernels.push_back({"kernel_of_" + node.layer.key(),
                                    {7, 1, 1},
                                    {128, 1, 1},
                                    40,
                                    1024,
                                    2048,
                                    0.5 * node.layer.out_channels});
        return readings;
    };
    std::function<DeviceState(int call)> tell = [](int) {
        DeviceState state;
        state.sm_clock_mhz = 1980.0;
        state.power_w = 400.0;
        state.reasons["memory_clock_mhz"] = "not told";
        return state;
    };
    std::function<EnergyCounter()> count_energy = [] { return EnergyCounter{{}, "no counter"}; };
    std::function<std::optional<double>()> clock_mhz = [] { return std::optional(1980.0); };
    std::int64_t dropped = 0;
    std::int64_t dropped_each_time = 0;
    int inspected = 0;
    int asked = 0;

    std::vector<LayerReadings> inspect(NetworkRunner& runner, const Graph& network) override {
        ++inspected;
        dropped += dropped_each_time;
        std::vector<LayerReadings> readings;
        for (int i = 0; i < static_cast<int>(network.nodes.size()); ++i) {
            runner.start_layer(i);
            readings.push_back(read(network.nodes[i], i));
        }
        runner.wait();
        return readings;
    }
    DeviceState state() override { return tell(asked++); }
    EnergyCounter energy() override { return count_energy(); }
    std::optional<double> sm_clock_mhz() override { return clock_mhz(); }
    std::int64_t dropped_records() const override { return dropped; }
};

}  // namespace hacscale::testing
