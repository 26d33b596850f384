#include "harness/measure/verify_models.hpp"

#include <fmt/format.h>

#include "records/record_file.hpp"

namespace hacscale::harness {

namespace {

// Few enough that their weights fit beside each other in memory.
constexpr std::size_t models_at_once = 4;

struct Group {
    std::vector<Network> networks;  // in the table's layout
    std::vector<std::string> roles;
    std::vector<double> predicted_us;
};

void verify_group(const Group& group, const MeasuredState& state, const TimeNetworks& time,
                  VerifyOutcome& outcome) {
    const std::vector<TimedNetwork> timed = time(group.networks);
    for (std::size_t i = 0; i < timed.size(); ++i) {
        const Network& network = group.networks[i];
        if (!timed[i].timed()) {
            outcome.report.skipped.push_back({network.name, timed[i].reason});
            continue;
        }
        outcome.noisy += timed[i].converged ? 0 : 1;
        outcome.report.models.push_back(
            {{network.name, network_hash(network), state.batch, state.type, state.cache,
              group.predicted_us[i], timed[i].latency_us, timed[i].ci95_us, records::timestamp()},
             group.roles[i],
             timed[i].upper});
    }
}

}  // namespace

VerifyOutcome verify_models(const Table& table, std::vector<ModelToVerify> models, const MeasuredState& state,
                            const TimeNetworks& time, const Events& events) {
    VerifyOutcome outcome;
    outcome.report.device = table.device().id;
    Group group;
    for (ModelToVerify& wanted : models) {
        if (events.stop_requested()) {
            break;
        }
        const TableView view(table, wanted.network.graph, state);
        const NetworkEstimate predicted = view.base_estimate();
        if (predicted.missing_layers > 0) {
            outcome.report.skipped.push_back(
                {wanted.network.name, fmt::format("the table lacks {} of its layers, {} among them",
                                                  predicted.missing_layers, predicted.first_missing)});
        } else {
            wanted.network.graph.set_layout(view.layout());
            group.networks.push_back(std::move(wanted.network));  // its weights may be large
            group.roles.push_back(std::move(wanted.role));
            group.predicted_us.push_back(predicted.latency_us);
        }
        if (group.networks.size() == models_at_once) {
            verify_group(group, state, time, outcome);
            group = {};
        }
    }
    if (!group.networks.empty() && !events.stop_requested()) {
        verify_group(group, state, time, outcome);
    }
    return outcome;
}

}  // namespace hacscale::harness
