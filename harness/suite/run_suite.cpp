#include "harness/suite/run_suite.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "harness/compare/accuracies.hpp"
#include "harness/measure/device_access.hpp"
#include "harness/suite/layout.hpp"
#include "harness/suite/run_clock.hpp"
#include "harness/suite/run_manifest.hpp"
#include "harness/suite/state_run.hpp"
#include "records/record_file.hpp"
#include "report/report.hpp"

namespace hacscale::harness {

namespace {

class SuiteRun {
public:
    SuiteRun(const Suite& suite, const std::filesystem::path& folder, const RunSettings& settings,
             Events& events)
        : suite_(suite),
          settings_(settings),
          events_(events),
          units_(units_of(suite, settings.shard)),
          manifest_{suite.name, suite_hash(suite), settings.shard, false},
          folder_(settings.shard ? folder / folder_name(*settings.shard) : folder) {
        if (settings.shard) {
            check_manifest(folder, {suite.name, manifest_.suite_hash, {}, false});
        }
        check_manifest(folder_, manifest_);
        // Before the first device is opened, whichever that is: it loads the backends.
        if (std::any_of(suite.devices.begin(), suite.devices.end(), [](const std::string& id) {
                return is_cpu(device_id_of(id)) || id == all_devices;
            })) {
            take_cores(suite.threads, events);
        }
        for (const std::string& id : device_ids(suite)) {
            devices_.push_back(open_device(id, suite.threads, events));
            find_states(devices_.back());
        }
        accuracies_ = known_accuracies();
        outcome_.suite_hash = manifest_.suite_hash;
        outcome_.folder = folder_;
    }

    SuiteOutcome run() {
        records::make_record_folder(folder_);
        write_manifest(folder_, manifest_);
        RunClock clock = make_clock();
        for (std::size_t i = 0; i < devices_.size() && !events_.stop_requested(); ++i) {
            run_device(devices_[i], states_[i], clock);
            devices_[i].handle.backend->rest();  // the next device has its turn
        }
        if (events_.stop_requested()) {
            events_.warn(fmt::format(
                "interrupted; what was measured is in {}, and the same command goes on from there",
                folder_.string()));
            outcome_.stopped = true;
            return std::move(outcome_);
        }
        if (outcome_.finished) {
            manifest_.finished = true;
            write_manifest(folder_, manifest_);
        }
        if (has_several_folders(suite_) && !settings_.shard) {
            const bool side_by_side = write_together();
            outcome_.files.push_back(write_index_page(folder_, suite_.name, outcome_.runs, side_by_side));
        }
        return std::move(outcome_);
    }

private:
    // All runs on one page, where there are several that compare with the first.
    bool write_together() {
        try {
            std::vector<records::RunRecords> runs;
            for (const FinishedRun& run : outcome_.runs) {
                runs.push_back(records::load_records(run.folder));
            }
            if (runs.size() < 2) {
                return false;
            }
            const std::vector<std::filesystem::path> files = report::write_side_by_side(runs, folder_);
            outcome_.files.insert(outcome_.files.end(), files.begin(), files.end());
            return true;
        } catch (const InputError& error) {
            events_.warn(fmt::format("no page sets the runs side by side: {}", error.what()));
            return false;
        }
    }

    // Of a device named by the suite every state is wanted; of "all" devices, those that each can do.
    void find_states(const DeviceAccess& access) {
        const DeviceHandle& device = access.handle;
        std::vector<MeasuredState> states;
        for (const MeasuredState& state : states_of(suite_)) {
            const std::string unsupported_reason =
                device.backend->unsupported_reason(device.device.id, state.type);
            if (unsupported_reason.empty()) {
                states.push_back(state);
            } else if (suite_.devices.front() != all_devices) {
                throw InputError(
                    fmt::format("{} on {}: {}; leave the data type out of the suite, or name \"all\" "
                                "devices, of which each measures what it can",
                                name_of(state.type), device.device.id, unsupported_reason));
            } else {
                events_.warn(fmt::format("{}: {} is left out: {}", device.device.id, name_of(state),
                                         unsupported_reason));
            }
        }
        states_.push_back(std::move(states));
    }

    std::optional<KnownAccuracies> known_accuracies() const {
        if (suite_.record.empty() || settings_.shard) {
            return std::nullopt;
        }
        if (!std::filesystem::exists(suite_.record)) {
            events_.warn(fmt::format("there are no accuracy records in {} yet, so no accuracy is shown",
                                     suite_.record.string()));
        }
        return KnownAccuracies(suite_.record, suite_.recipe, true);
    }

    std::vector<ProfileUnit> units_in(const MeasuredState& state) const {
        std::vector<ProfileUnit> units;
        std::copy_if(units_.begin(), units_.end(), std::back_inserter(units),
                     [&](const ProfileUnit& unit) { return unit.state == state; });
        return units;
    }

    RunClock make_clock() const {
        PlannedSteps steps;
        for (const std::vector<MeasuredState>& states : states_) {
            for (const MeasuredState& state : states) {
                double profiling_s = 0.0;
                for (const ProfileUnit& unit : units_in(state)) {
                    profiling_s += unit.seconds_at_most;
                }
                steps.add(RunStep::profile, profiling_s);
                if (settings_.shard) {
                    continue;
                }
                for (std::size_t i = 0; i < suite_.models.size() * suite_.budgets.size(); ++i) {
                    steps.add(RunStep::compare, usual_comparison_seconds(suite_));
                }
                if (!suite_.verify.empty()) {
                    steps.add(RunStep::verify, verification_seconds(suite_));
                }
            }
        }
        return {steps, 60.0 * suite_.total_minutes,
                [backend = devices_.front().handle.backend] { return 1e-6 * backend->clock_us(); }};
    }

    void run_device(const DeviceAccess& access, const std::vector<MeasuredState>& states, RunClock& clock) {
        const std::filesystem::path folder = device_folder(suite_, folder_, access.handle.device.id);
        RunManifest manifest = manifest_;
        records::make_record_folder(folder);
        write_manifest(folder, manifest);
        const DeviceRecord record = access.record();
        Table table = Table::open(folder / table_file, OpenMode::create, &record);
        outcome_.tables.push_back(table.file());
        const std::unique_ptr<Instruments> instruments = settings_.counters.open(access.handle.device);
        bool finished = true;
        for (const MeasuredState& state : states) {
            if (events_.stop_requested()) {
                return;
            }
            StateJob job{suite_,
                         manifest,
                         settings_.command,
                         state,
                         units_in(state),
                         state_folder(suite_, folder, state),
                         settings_.retry_failed,
                         accuracies_ ? &*accuracies_ : nullptr};
            records::make_record_folder(job.folder);
            StateResult result = run_state(job, access, instruments.get(), table, clock, events_);
            finished = finished && result.finished;
            outcome_.complete = outcome_.complete && result.complete;
            outcome_.warnings.insert(outcome_.warnings.end(), result.warnings.begin(), result.warnings.end());
            outcome_.files.insert(outcome_.files.end(), result.files.begin(), result.files.end());
            outcome_.runs.push_back({access.handle.device.id, state, job.folder, std::move(result)});
        }
        if (finished) {
            manifest.finished = true;
            write_manifest(folder, manifest);
        }
        outcome_.finished = outcome_.finished && finished;
    }

    const Suite& suite_;
    const RunSettings& settings_;
    Events& events_;
    std::vector<ProfileUnit> units_;
    RunManifest manifest_;
    std::filesystem::path folder_;
    std::vector<DeviceAccess> devices_;
    std::vector<std::vector<MeasuredState>> states_;  // one list a device
    std::optional<KnownAccuracies> accuracies_;       // opened before anything is measured
    SuiteOutcome outcome_;
};

}  // namespace

SuiteOutcome run_suite(const Suite& suite, const std::filesystem::path& folder, const RunSettings& settings,
                       Events& events) {
    return SuiteRun(suite, folder, settings, events).run();
}

}  // namespace hacscale::harness
