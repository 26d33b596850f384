#include "cli/measuring/profile_models.hpp"

#include <fmt/format.h>

#include <map>

#include "cli/interrupt.hpp"
#include "cli/measuring/device_access.hpp"
#include "cli/records/record_file.hpp"
#include "models/model_yaml.hpp"
#include "profiler/peak.hpp"

namespace hacscale::cli {

namespace {

// Less than this is within what two tables of one machine differ by anyway.
constexpr double faster_worth_telling = 1.15;

void add(ProfileSummary& sum, const ProfileSummary& part) {
    sum.measured += part.measured;
    sum.reused += part.reused;
    sum.noisy += part.noisy;
    sum.failed += part.failed;
    sum.given_up += part.given_up;
    sum.dropped_records += part.dropped_records;
    sum.interrupted = sum.interrupted || part.interrupted;
}

// What the rounds that measured the rows say of the whole networks.
std::vector<VerificationRecord> verified_in_place(const Table& table, const ProfileRequest& request,
                                                  const ProfileSummary& summary) {
    std::map<std::string, const CarrierResult*> results;
    for (const CarrierResult& result : summary.carriers) {
        if (result.measured) {
            results[result.model] = &result;
        }
    }
    std::vector<VerificationRecord> records;
    const MeasureSettings& settings = request.settings;
    for (const ModelSpec& model : request.carriers) {
        const auto found = results.find(model.name);
        if (found == results.end()) {
            continue;
        }
        const MedianEstimate& total = found->second->total;
        for (const CacheState cache : request.caches) {
            const NetworkEstimate predicted = predict(table, lower(model), settings, cache);
            if (predicted.missing_layers == 0) {
                records.push_back({model.name, model_hash(model), settings.batch, settings.type, cache,
                                   predicted.latency_us, total.median, total.half_width, timestamp()});
            }
        }
    }
    return records;
}

SweepSpace sweep_space(const ModelSpec& base, const SpaceSettings& settings) {
    const ScalingSpace space = make_space(base, settings);
    SweepSpace sweep;
    for (const StageSpace& stage : space.stages) {
        sweep.widths.push_back(stage.widths);
        sweep.max_depths.push_back(stage.depths.back());
    }
    sweep.resolutions = space.resolutions;
    if (space.inner.is_open()) {
        sweep.inner_options = [inner = space.inner](std::size_t stage, int block, int width_before,
                                                    int width) {
            return inner.options(stage, block, width_before, width);
        };
    }
    return sweep;
}

}  // namespace

std::optional<std::string> pace_warning(const DeviceHandle& device, const MeasureSettings& measured_with) {
    const auto found = measured_with.paces->find({device.device.id, measured_with.type});
    if (found == measured_with.paces->end() || found->second.became_faster() < faster_worth_telling) {
        return std::nullopt;
    }
    return fmt::format(
        "the machine became {:.2f} times as fast while this ran, so what was measured before does not fit "
        "what came after; measured anew, into another table, both fit",
        found->second.became_faster());
}

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
    own.retry_failed = plan.retry_failed;
    for (const auto* models : {&plan.swept, &plan.own_layers}) {
        for (const ModelSpec& model : *models) {
            own.carriers.push_back(for_device(model, device));
        }
    }
    session.log.info("measuring the layers of {} networks", own.carriers.size());
    const ProfileSummary measured = profile(device, table, own, events);
    add(outcome.rows, measured);
    outcome.verified = verified_in_place(table, own, measured);
    for (const VerificationRecord& record : outcome.verified) {
        table.put(record);
    }
    SweepSettings sweep_settings = plan.sweep;
    sweep_settings.retry_failed = plan.retry_failed;
    for (std::size_t i = 0; i < plan.swept.size() && !interrupted(); ++i) {
        session.log.info("measuring {} at other widths", plan.swept[i].name);
        const SweepSummary swept =
            sweep(device, table, for_device(plan.swept[i], device),
                  sweep_space(plan.swept[i], plan.spaces[i]), plan.measure, sweep_settings, events);
        add(outcome.rows, swept.profile);
        outcome.swept.push_back({plan.swept[i].name, swept});
        if (swept.out_of_time && !interrupted()) {
            session.log.warn("{}: the time was up before all widths were looked at; the rest is interpolated",
                             plan.swept[i].name);
        } else if (!swept.complete && !interrupted()) {
            session.log.warn(
                "{}: of the networks drawn last, not seen before, the worst is predicted {:.1f} % off, more "
                "than "
                "the tolerance of {:.1f} %",
                plan.swept[i].name, 100.0 * swept.worst_network_error(), 100.0 * sweep_settings.tolerance);
        }
    }
    outcome.rows.interrupted = interrupted();
    if (outcome.rows.dropped_records > 0) {
        session.log.warn(
            "{} records of kernels were dropped by the tracing library, so the kernel times of "
            "some rows may be too small",
            outcome.rows.dropped_records);
    }
    if (outcome.rows.given_up > 0) {
        session.log.warn(
            "{} rows have no value: they failed before the device was lost, or because it was; the "
            "next run of the command tries them again",
            outcome.rows.given_up);
    }
    return outcome;
}

}  // namespace hacscale::cli
