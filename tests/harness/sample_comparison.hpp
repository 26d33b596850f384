// Comparisons as if they had been measured.
#pragma once

#include <algorithm>
#include <string>

#include "records/comparison.hpp"
#include "scaling/strategies/strategy.hpp"

namespace hacscale::harness {

inline records::StrategyRow base_row() {
    records::StrategyRow row;
    row.strategy = "base";
    row.status = records::StrategyStatus::ok;
    row.predicted_us = 550.0;
    row.measured_us = 545.4;
    row.interpolated_share = 0.0;
    row.ci95_us = 5.3;
    row.latency_ratio = 1.0;
    row.latency_ratio_ci95 = 0.0;
    row.utilization = 0.409;
    row.utilization_ratio = 1.0;
    row.params = 270'000;
    row.macs = 40'810'000;
    row.gain = 0.0;
    row.choice = ScalingChoice{{16, 32, 64}, {3, 3, 3}, 32};
    row.model_hash = "base";
    return row;
}

inline records::StrategyRow larger(const std::string& strategy, double gain, const ScalingChoice& choice) {
    records::StrategyRow row = base_row();
    row.strategy = strategy;
    row.predicted_us = 541.0;
    row.measured_us = 530.3;
    row.interpolated_share = 0.12;
    row.latency_ratio = 0.972;
    row.latency_ratio_ci95 = 0.013;
    row.utilization = 0.477;
    row.utilization_ratio = 1.17;
    row.params = 370'000;
    row.gain = gain;
    row.choice = choice;
    row.model_hash = strategy;
    return row;
}

// As a quickstart's: most strategies keep the base.
inline records::ComparisonRecord sample(const std::string& model = "resnet20-cifar", double budget = 1.0) {
    records::ComparisonRecord record;
    record.model = model;
    record.device = "cpu";
    record.budget = budget;
    record.gain_origin = "capacity";
    record.stages = {"stage1", "stage2", "stage 3"};
    record.base = base_row();
    for (const Strategy* usual : usual_strategies(1.0)) {
        const Strategy& strategy = *usual;
        records::StrategyRow row = base_row();
        row.strategy = strategy.name;
        record.strategies.push_back(row);
    }
    const auto put = [&](const records::StrategyRow& row) {
        *std::find_if(record.strategies.begin(), record.strategies.end(),
                      [&](const records::StrategyRow& one) { return one.strategy == row.strategy; }) = row;
    };
    put(larger("hacscale-depths", 0.228, {{16, 32, 64}, {2, 3, 5}, 32}));
    put(larger("hacscale-no-utilization", 0.212, {{16, 32, 112}, {2, 2, 2}, 32}));
    put(larger("hacscale", 0.273, {{16, 48, 96}, {3, 3, 2}, 32}));
    return record;
}

inline records::StrategyRow measured(const std::string& name, double us, double ci95_us, double gain) {
    records::StrategyRow row;
    row.strategy = name;
    row.status = records::StrategyStatus::ok;
    row.measured_us = us;
    row.ci95_us = ci95_us;
    row.gain = gain;
    return row;
}

inline records::StrategyRow trained(records::StrategyRow row, double mean, std::optional<double> deviation,
                                    int seeds) {
    row.accuracy = records::AccuracyFigures{mean, deviation, seeds};
    return row;
}

inline records::ComparisonRecord three_rows() {
    records::ComparisonRecord record;
    record.gain_origin = "sensitivity";
    record.base = measured("base", 100.0, 0.5, 0.0);
    record.strategies = {measured("uniform", 100.2, 0.5, 0.0), measured("hacscale", 100.1, 0.5, 0.4)};
    return record;
}

}  // namespace hacscale::harness
