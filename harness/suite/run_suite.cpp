#include "harness/suite/run_suite.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include <algorithm>

#include "base/error.hpp"
#include "cli/interrupt.hpp"
#include "cli/print_json.hpp"
#include "cli/printing/answer.hpp"
#include "cli/printing/comparison_text.hpp"
#include "cli/text_lines.hpp"
#include "harness/compare/accuracies.hpp"
#include "harness/measure/device_access.hpp"
#include "harness/measure/take_cores.hpp"
#include "harness/suite/folder_claim.hpp"
#include "harness/suite/index_page.hpp"
#include "harness/suite/layout.hpp"
#include "harness/suite/run_clock.hpp"
#include "harness/suite/state_run.hpp"
#include "records/record_file.hpp"
#include "report/report.hpp"

namespace hacscale::cli {

namespace {

class SuiteRun {
public:
    SuiteRun(const Suite& suite, const std::filesystem::path& folder, const RunSettings& settings,
             Session& session)
        : suite_(suite),
          settings_(settings),
          session_(session),
          units_(units_of(suite, settings.shard)),
          claim_{suite.name, suite_hash(suite), settings.shard, false},
          folder_(settings.shard ? folder / folder_name(*settings.shard) : folder) {
        if (settings.shard) {
            check_claim(folder, {suite.name, claim_.suite_hash, {}, false});
        }
        check_claim(folder_, claim_);
        // Before the first device is opened, whichever that is: it loads the backends.
        if (std::any_of(suite.devices.begin(), suite.devices.end(),
                        [](const std::string& id) { return id == "cpu" || id == all_devices; })) {
            take_cores(suite.threads, session);
        }
        for (const std::string& id : device_ids(suite)) {
            devices_.push_back(open_device(id, suite.threads, session));
            find_states(devices_.back());
        }
        accuracies_ = known_accuracies();
    }

    ExitStatus run() {
        make_record_folder(folder_);
        write_claim(folder_, claim_);
        RunClock clock = make_clock();
        for (std::size_t i = 0; i < devices_.size() && !interrupted(); ++i) {
            run_device(devices_[i], states_[i], clock);
        }
        if (interrupted()) {
            session_.log.warn(
                "interrupted; what was measured is in {}, and the same command goes on from there",
                folder_.string());
            return ExitStatus::incomplete;
        }
        if (finished_) {
            claim_.finished = true;
            write_claim(folder_, claim_);
        }
        if (has_several_folders(suite_) && !settings_.shard) {
            const bool side_by_side = write_together();
            files_.push_back(write_index_page(folder_, suite_.name, runs_, side_by_side));
        }
        answer();
        return complete_ ? ExitStatus::done : ExitStatus::incomplete;
    }

private:
    // All runs on one page, where there are several that compare with the first.
    bool write_together() {
        try {
            std::vector<ReportData> runs;
            for (const FinishedRun& run : runs_) {
                runs.push_back(load_report(run.folder));
            }
            if (runs.size() < 2) {
                return false;
            }
            const std::vector<std::filesystem::path> files = write_side_by_side(runs, folder_);
            files_.insert(files_.end(), files.begin(), files.end());
            return true;
        } catch (const InputError& error) {
            session_.log.warn("no page sets the runs side by side: {}", error.what());
            return false;
        }
    }

    // Of a device named by the suite every state is wanted; of "all" devices, those that each can do.
    void find_states(const DeviceAccess& access) {
        const DeviceHandle& device = access.handle;
        std::vector<MeasuredState> states;
        for (const MeasuredState& state : states_of(suite_)) {
            const std::string refusal = device.backend->refusal(device.device.id, state.type);
            if (refusal.empty()) {
                states.push_back(state);
            } else if (suite_.devices.front() != all_devices) {
                throw InputError(
                    fmt::format("{} on {}: {}; leave the data type out of the suite, or name \"all\" "
                                "devices, of which each measures what it can",
                                name_of(state.type), device.device.id, refusal));
            } else {
                session_.log.warn("{}: {} is left out: {}", device.device.id, name_of(state), refusal);
            }
        }
        states_.push_back(std::move(states));
    }

    std::optional<KnownAccuracies> known_accuracies() const {
        if (suite_.record.empty() || settings_.shard) {
            return std::nullopt;
        }
        if (!std::filesystem::exists(suite_.record)) {
            session_.log.warn("there are no accuracy records in {} yet, so no accuracy is shown",
                              suite_.record.string());
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
                steps.add(StepKind::profile, profiling_s);
                if (settings_.shard) {
                    continue;
                }
                for (std::size_t i = 0; i < suite_.models.size() * suite_.budgets.size(); ++i) {
                    steps.add(StepKind::compare, usual_comparison_seconds(suite_));
                }
                if (!suite_.verify.empty()) {
                    steps.add(StepKind::verify, verification_seconds(suite_));
                }
            }
        }
        return {steps, 60.0 * suite_.total_minutes,
                [backend = devices_.front().handle.backend] { return 1e-6 * backend->clock_us(); }};
    }

    void run_device(const DeviceAccess& access, const std::vector<MeasuredState>& states, RunClock& clock) {
        const std::filesystem::path folder = device_folder(suite_, folder_, access.handle.device.id);
        FolderClaim claim = claim_;
        make_record_folder(folder);
        write_claim(folder, claim);
        const DeviceRecord record = access.record();
        Table table = Table::open(folder / table_file, OpenMode::create, &record);
        tables_.push_back(table.file());
        const std::unique_ptr<Instruments> instruments = settings_.counters.open(access.handle.device);
        bool finished = true;
        for (const MeasuredState& state : states) {
            if (interrupted()) {
                return;
            }
            StateJob job{suite_,
                         claim,
                         state,
                         units_in(state),
                         state_folder(suite_, folder, state),
                         settings_.retry_failed,
                         accuracies_ ? &*accuracies_ : nullptr};
            make_record_folder(job.folder);
            StateResult result = run_state(job, access, instruments.get(), table, clock, session_);
            finished = finished && result.finished;
            complete_ = complete_ && result.complete;
            warnings_.insert(warnings_.end(), result.warnings.begin(), result.warnings.end());
            files_.insert(files_.end(), result.files.begin(), result.files.end());
            runs_.push_back({access.handle.device.id, state, job.folder, std::move(result)});
        }
        if (finished) {
            claim.finished = true;
            write_claim(folder, claim);
        }
        finished_ = finished_ && finished;
    }

    static Json names_of(const std::vector<std::filesystem::path>& files) {
        Json names = Json::array();
        for (const std::filesystem::path& file : files) {
            names.push_back(file.string());
        }
        return names;
    }

    void answer() const {
        if (session_.json) {
            Json comparisons = Json::array();
            Json runs = Json::array();
            for (const FinishedRun& run : runs_) {
                for (const ComparisonRecord& record : run.result.comparisons) {
                    comparisons.push_back(Json::parse(to_json(record)));
                }
                runs.push_back({{"device", run.device},
                                {"batch", run.state.batch},
                                {"dtype", name_of(run.state.type)},
                                {"cache", name_of(run.state.cache)},
                                {"folder", run.folder.string()},
                                {"complete", run.result.complete}});
            }
            print_json(session_.out,
                       {{"suite", suite_.name},
                        {"suite_hash", claim_.suite_hash},
                        {"shard", settings_.shard ? Json(name_of(*settings_.shard)) : Json(nullptr)},
                        {"folder", folder_.string()},
                        {"complete", complete_},
                        {"warnings", warnings_},
                        {"runs", std::move(runs)},
                        {"comparisons", std::move(comparisons)},
                        {"tables", names_of(tables_)},
                        {"files", names_of(files_)}});
            return;
        }
        if (settings_.details) {
            print_details();
        }
        std::vector<const ComparisonRecord*> records;
        for (const FinishedRun& run : runs_) {
            for (const ComparisonRecord& record : run.result.comparisons) {
                records.push_back(&record);
            }
        }
        print_lines(session_.out, answer_lines(records, {{}, closing_lines_of(records.empty())}));
    }

    void print_details() const {
        for (const FinishedRun& run : runs_) {
            if (has_several_folders(suite_) && !run.result.comparisons.empty()) {
                session_.out << fmt::format("{} {}\n", run.device, name_of(run.state));
            }
            for (const ComparisonRecord& record : run.result.comparisons) {
                print_comparison(session_.out, record);
                session_.out << '\n';
            }
        }
        for (const std::filesystem::path& file : settings_.shard ? tables_ : files_) {
            session_.out << file.string() << '\n';
        }
    }

    // Where to look on: of a shard its tables, else the page that leads to everything.
    std::vector<std::string> closing_lines_of(bool nothing_compared) const {
        std::vector<std::string> lines;
        if (nothing_compared && !settings_.shard) {
            lines.emplace_back(finished_
                                   ? "nothing was compared"
                                   : "nothing was compared yet: the time was up before the networks were "
                                     "measured; the same command goes on");
        }
        if (settings_.shard) {
            for (const std::filesystem::path& table : tables_) {
                lines.push_back("table: " + table.string());
            }
            return lines;
        }
        const auto is_page = [](const std::filesystem::path& file) {
            return file.filename() == "index.html" || file.filename() == "report.html";
        };
        const auto main_page = std::find_if(files_.rbegin(), files_.rend(), is_page);
        if (main_page != files_.rend()) {
            lines.push_back("report: " + main_page->string() + " (every row: --details)");
        }
        return lines;
    }

    const Suite& suite_;
    const RunSettings& settings_;
    Session& session_;
    std::vector<ProfileUnit> units_;
    FolderClaim claim_;
    std::filesystem::path folder_;
    std::vector<DeviceAccess> devices_;
    std::vector<std::vector<MeasuredState>> states_;  // one list a device
    std::optional<KnownAccuracies> accuracies_;       // opened before anything is measured
    std::vector<FinishedRun> runs_;
    std::vector<std::string> warnings_;
    std::vector<std::filesystem::path> tables_;
    std::vector<std::filesystem::path> files_;
    bool complete_ = true;
    bool finished_ = true;
};

}  // namespace

ExitStatus run_suite(const Suite& suite, const std::filesystem::path& folder, const RunSettings& settings,
                     Session& session) {
    return SuiteRun(suite, folder, settings, session).run();
}

}  // namespace hacscale::cli
