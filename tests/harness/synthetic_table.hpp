// A table that answers every question about resnet20-cifar with a made-up device, and a device that obeys a
// formula.
#pragma once

#include <algorithm>
#include <set>
#include <string>

#include "harness/measure/device_access.hpp"
#include "models/stages/lowering.hpp"
#include "models/stages/scaled_model.hpp"
#include "models/zoo/find_network.hpp"
#include "models/zoo/zoo.hpp"
#include "profiler/measure_networks.hpp"
#include "profiler/table/table.hpp"
#include "scaling/space.hpp"
#include "tests/scaling/synthetic_source.hpp"

namespace hacscale::harness {

// Every layer at every pair of neighbouring widths within twice the base's; with `inner`, also at all inner
// widths up to 1.5 times those that follow.
inline void write_synthetic_table(const std::string& file, bool inner = false) {
    const DeviceRecord device{"cpu", "A made-up device", "0123456789abcdef", "{}"};
    Table table = Table::open(file, OpenMode::create, &device);
    const ModelSpec base = find_model("resnet20-cifar");
    const ScalingSpace space = make_space(base, {});
    const std::int64_t footprint = footprint_bucket(pass_footprint(lower(base), 1, DataType::f32));
    std::set<LayerSpec> seen;
    std::vector<Row> rows;
    const auto add = [&](const ScalingChoice& choice) {
        for (const Node& node : lower(scaled(base, choice)).nodes) {
            if (!seen.insert(node.layer).second) {
                continue;
            }
            Row row;
            row.key.layer = node.layer;
            row.key.footprint_bytes = footprint;
            row.latency_us = testing::SyntheticSource::latency_us(node.layer);
            row.ci95_us = 0.001 * row.latency_us;
            row.samples = 100;
            row.implementation = "made up";
            row.host_network = base.name;
            row.measured_at = "2026-01-01T00:00:00Z";
            rows.push_back(row);
        }
    };
    for (const int first : space.stages[0].widths) {
        for (const int second : space.stages[1].widths) {
            for (const int third : space.stages[2].widths) {
                ScalingChoice choice{{first, second, third}, {3, 3, 3}, base.resolution};
                add(choice);
                for (int width = 8; inner && width <= 3 * 64; width += 8) {
                    choice.inner_widths.clear();
                    for (const StageSpec& stage : base.stages) {
                        choice.inner_widths.emplace_back(3, std::min(width, 3 * stage.width));
                    }
                    add(choice);
                }
            }
        }
    }
    table.put(rows);
    table.put(PeakRecord{DataType::f32, 1e11, 2e10, std::nullopt, std::nullopt});
}

inline bool is_base(const Network& network) {
    return network_hash(network) == network_hash(find_network("resnet20-cifar"));
}

// The made-up device's time for whole networks: the layers' sum, times `factor` for all networks but the
// base.
inline TimeNetworks synthetic_device(double factor) {
    return [factor](const std::vector<Network>& networks) {
        std::vector<TimedNetwork> timed;
        for (const Network& network : networks) {
            double sum_us = 0.0;
            for (const Node& node : network.graph.nodes) {
                sum_us += testing::SyntheticSource::latency_us(node.layer);
            }
            timed.push_back({sum_us * (is_base(network) ? 1.0 : factor), 0.0, true, ""});
        }
        return timed;
    };
}

}  // namespace hacscale::harness
