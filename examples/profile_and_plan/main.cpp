// Profiles a small network on this machine's CPU and chooses, from what was measured, the scaled network with the most
// capacity within twice its latency.
#include <iostream>

#include "base/error.hpp"
#include "harness/compare/answer.hpp"
#include "harness/compare/compare.hpp"
#include "harness/measure/device_access.hpp"
#include "harness/measure/profile_models.hpp"
#include "models/formats/formats.hpp"

using namespace hacscale;

constexpr const char* network = R"(name: small
input: {channels: 3, resolution: 16}
classes: 10
stem: [conv: {width: 16}]
stages:
  - {name: stage1, block: basic, width: 16, depth: 1}
head: [global_avg_pool, linear: {}]
)";

int main() try {
    harness::SilentEvents events;  // a front end shows messages and progress here
    const ModelSpec model = parse_model(network, "small");
    const harness::DeviceAccess device = harness::open_device("cpu", 0, events);
    const DeviceRecord record = device.record();
    Table table = Table::open("small.db", OpenMode::create, &record);

    harness::ProfileJob plan;
    plan.swept = {model};
    plan.spaces.resize(1);
    plan.measure.rules.max_seconds = 0.05;
    plan.sweep.max_seconds = 0.3;
    harness::profile_models(device.handle, table, plan, events);

    harness::ComparisonSettings settings;
    settings.budget = 2.0;
    settings.strategies = {"hacscale"};
    const auto comparison = harness::compare(harness::ModelView(table, model, {}), settings, {});
    for (const std::string& line : harness::answer_lines({&comparison}, {})) {
        std::cout << line << '\n';
    }
} catch (const Error& error) {
    std::cerr << error.what() << '\n';
    return static_cast<int>(error.status());
}
