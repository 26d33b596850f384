#include "harness/measure/verify_models.hpp"

#include <fmt/format.h>

#include "models/formats/formats.hpp"
#include "records/record_file.hpp"

namespace hacscale::harness {

namespace {

// Few enough that their weights fit beside each other in memory.
constexpr std::size_t models_at_once = 4;

struct Predicted {
    const ModelToVerify* wanted;
    ModelSpec model;  // in the table's layout
    double predicted_us;
};

void verify_group(const std::vector<Predicted>& group, const MeasuredState& state, const TimeNetworks& time,
                  VerifyOutcome& outcome) {
    std::vector<ModelSpec> models;
    for (const Predicted& one : group) {
        models.push_back(one.model);
    }
    const std::vector<TimedNetwork> timed = time(models);
    for (std::size_t i = 0; i < group.size(); ++i) {
        const ModelSpec& model = group[i].model;
        if (!timed[i].timed()) {
            outcome.report.skipped.push_back({model.name, timed[i].reason});
            continue;
        }
        outcome.noisy += timed[i].converged ? 0 : 1;
        outcome.report.models.push_back(
            {{model.name, model_hash(model), state.batch, state.type, state.cache, group[i].predicted_us,
              timed[i].latency_us, timed[i].ci95_us, records::timestamp()},
             group[i].wanted->role,
             timed[i].upper});
    }
}

}  // namespace

VerifyOutcome verify_models(const Table& table, const std::vector<ModelToVerify>& models,
                            const MeasuredState& state, const TimeNetworks& time, const Events& events) {
    VerifyOutcome outcome;
    outcome.report.device = table.device().id;
    std::vector<Predicted> group;
    for (const ModelToVerify& wanted : models) {
        if (events.stop_requested()) {
            break;
        }
        const TableView view(table, wanted.model, state);
        const NetworkEstimate predicted = view.base_estimate();
        if (predicted.missing_layers > 0) {
            outcome.report.skipped.push_back(
                {wanted.model.name, fmt::format("the table lacks {} of its layers, {} among them",
                                                predicted.missing_layers, predicted.first_missing)});
        } else {
            group.push_back({&wanted, view.base(), predicted.latency_us});
        }
        if (group.size() == models_at_once) {
            verify_group(group, state, time, outcome);
            group.clear();
        }
    }
    if (!group.empty() && !events.stop_requested()) {
        verify_group(group, state, time, outcome);
    }
    return outcome;
}

}  // namespace hacscale::harness
