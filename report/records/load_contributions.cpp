#include <optional>
#include <string>

#include "report/records/json_reader.hpp"
#include "report/records/loaders.hpp"

namespace hacscale::report {

namespace {

StepRecord step_of(const JsonPlace& place) {
    StepRecord step;
    step.dimension = one_of(place, "dimension", {"width", "depth", "inner_width", "resolution"});
    step.stage = place.text_or_empty("name");
    if (const std::optional<int> stage = place.integer_or_null("stage"); stage && step.stage.empty()) {
        step.stage = name_of_stage(*stage);
    }
    if (const std::optional<int> block = place.integer_or_null("block")) {
        step.stage += " block " + std::to_string(*block + 1);
    }
    step.base = place.integer("base");
    step.from = place.integer("from");
    step.to = place.integer_or_null("to");
    step.outcome = one_of(place, "outcome",
                          {"fits", "over_budget", "over_cap", "no_gain", "space_end", "invalid", "missing"});
    step.reason = place.text_or_empty("reason");
    if (!place.text_or_empty("estimate").empty()) {
        step.estimate = one_of(place, "estimate", {"measured", "interpolated", "missing"});
    }
    step.latency_us = place.number_or_null("latency_us");
    if (!step.known()) return step;
    step.latency_pct = place.number("latency_pct");
    step.utilization = place.number_or_null("utilization");
    step.params = place.number("params");
    step.macs = place.number("macs");
    step.gain = place.number("gain");
    step.gain_per_pct = place.number_or_null("gain_per_pct");
    return step;
}

}  // namespace

NetworkSteps load_network_steps(const JsonPlace& place) {
    NetworkSteps network;
    network.spec = one_of(place, "spec", {"base", "hacscale"});
    network.latency_us = place.positive("latency_us");
    network.budget_us = place.positive("budget_us");
    network.params = place.positive("params");
    network.widths = place.integers_or_empty("widths");
    network.depths = place.integers_or_empty("depths");
    network.resolution = place.integer_or_null("resolution");
    for (const JsonPlace& entry : place.objects("steps")) network.steps.push_back(step_of(entry));
    return network;
}

}  // namespace hacscale::report
