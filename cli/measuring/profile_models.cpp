#include "cli/measuring/profile_models.hpp"

#include "cli/interrupt.hpp"
#include "cli/measuring/device_access.hpp"
#include "profiler/peak.hpp"

namespace hacscale::cli {

namespace {

void add(ProfileSummary& sum, const ProfileSummary& part) {
    sum.measured += part.measured;
    sum.reused += part.reused;
    sum.noisy += part.noisy;
    sum.failed += part.failed;
    sum.interrupted = sum.interrupted || part.interrupted;
}

SweepSpace sweep_space(const ModelSpec& base, const SpaceSettings& settings) {
    const ScalingSpace space = make_space(base, settings);
    SweepSpace sweep;
    for (const StageSpace& stage : space.stages) {
        sweep.widths.push_back(stage.widths);
        sweep.max_depths.push_back(stage.depths.back());
    }
    sweep.resolutions = space.resolutions;
    return sweep;
}

}  // namespace

ProfileOutcome profile_models(const DeviceHandle& device, Table& table, const ProfilePlan& plan,
                              Session& session) {
    Progress progress(session.err, session.progress);
    const WorkEvents events = work_events(progress);
    if (!table.peak(plan.measure.type)) {
        session.log.info("measuring the peak of {} in {}", device.device.id, name_of(plan.measure.type));
        const PeakRecord peak = measure_peak(device, plan.measure.type, events);
        if (!interrupted()) {
            table.put(peak);
        }
    }
    ProfileOutcome outcome;
    ProfileRequest own{{}, plan.measure, plan.caches};
    for (const auto* models : {&plan.swept, &plan.own_layers}) {
        for (const ModelSpec& model : *models) {
            own.carriers.push_back(for_device(model, device));
        }
    }
    session.log.info("measuring the layers of {} networks", own.carriers.size());
    add(outcome.rows, profile(device, table, own, events));
    for (std::size_t i = 0; i < plan.swept.size() && !interrupted(); ++i) {
        session.log.info("measuring {} at other widths", plan.swept[i].name);
        const SweepSummary swept =
            sweep(device, table, for_device(plan.swept[i], device),
                  sweep_space(plan.swept[i], plan.spaces[i]), plan.measure, plan.sweep, events);
        add(outcome.rows, swept.profile);
        outcome.swept.push_back({plan.swept[i].name, swept});
        if (!swept.complete && !interrupted()) {
            session.log.warn("{}: the time was up before all widths were looked at; the rest is interpolated",
                             plan.swept[i].name);
        }
    }
    outcome.rows.interrupted = interrupted();
    return outcome;
}

}  // namespace hacscale::cli
