#include "harness/suite/state_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "base/hash.hpp"
#include "base/version.hpp"
#include "harness/compare/answer.hpp"
#include "harness/compare/choice_files.hpp"
#include "harness/compare/compare.hpp"
#include "harness/measure/device_access.hpp"
#include "harness/measure/profile_models.hpp"
#include "harness/measure/remedy.hpp"
#include "harness/measure/verify_models.hpp"
#include "harness/suite/finished_work.hpp"
#include "profiler/table/export.hpp"
#include "records/provenance.hpp"
#include "records/record_file.hpp"
#include "report/report.hpp"

namespace hacscale::harness {

namespace {

class StateRun {
public:
    StateRun(const StateJob& job, const DeviceAccess& device, Instruments* instruments, Table& table,
             RunClock& clock, Events& events)
        : job_(job),
          suite_(job.suite),
          device_(device),
          instruments_(instruments),
          table_(table),
          clock_(clock),
          events_(events) {
        measure_.batch = job.state.batch;
        measure_.type = job.state.type;
        measure_.rules.max_seconds = suite_.seconds;
        measure_.rows = suite_.rows;
        provenance_ = {"hacscale",
                       std::string(version()),
                       job.command,
                       suite_.name,
                       job.manifest.suite_hash,
                       job.manifest.shard ? name_of(*job.manifest.shard) : "",
                       records::timestamp(),
                       "",
                       device.record(),
                       records::RunSettings{job.state.batch, job.state.type, job.state.cache,
                                            device_.handle.device.threads},
                       device_.handle.device.warnings,
                       std::nullopt};
    }

    StateResult run() {
        now_ = input_fingerprint(suite_, job_.manifest.suite_hash, job_.state, table_);
        if (!keep_profiling() && may_go_on("profiling")) {
            profile();
        }
        write_provenance();
        if (!job_.manifest.shard) {
            compare_all();
            verify();
        }
        warn_of_pace();
        write_table();
        write_provenance();
        if (!events_.stop_requested() && !job_.manifest.shard) {
            result_.files = report::write_report(job_.folder);
        }
        result_.finished = result_.finished && !events_.stop_requested();
        result_.complete = result_.complete && result_.finished;
        return std::move(result_);
    }

private:
    std::string label(const std::string& what) const {
        return fmt::format("{} {}: {}", device_.handle.device.id, name_of(job_.state), what);
    }

    // False, and the run is unfinished, when there is no time for a step.
    bool may_go_on(const std::string& step) {
        if (events_.stop_requested()) {
            return false;
        }
        if (clock_.time_is_up()) {
            result_.finished = false;
            warn(fmt::format("the suite's time limit came before {}; the same command goes on from there",
                             label(step)));
            return false;
        }
        return true;
    }

    void warn(const std::string& text) {
        events_.warn(text);
        keep_warning(text);
        result_.complete = false;
    }

    // What the user was told already, and what lessens nothing that was asked for.
    void keep_warning(const std::string& text) {
        provenance_.warnings.push_back(text);
        result_.warnings.push_back(text);
    }

    // Called where something was measured now.
    void keep_doubts() {
        for (const std::string& doubt : events_.doubts()) {
            if (std::find(result_.warnings.begin(), result_.warnings.end(), doubt) ==
                result_.warnings.end()) {
                keep_warning(doubt);
                result_.complete = false;
            }
        }
    }

    // Whether an earlier run did it. Its warnings still hold.
    bool keep_profiling() {
        provenance_.profiled = finished_profiling(job_.folder, profiling_of(suite_, now_), table_, job_.state,
                                                  job_.retry_failed);
        if (!provenance_.profiled) {
            return false;
        }
        clock_.skip(events_, RunStep::profile, label("profiling was finished before"), profiling_seconds());
        for (const std::string& warning : provenance_.profiled->warnings) {
            warn(warning);
        }
        return true;
    }

    double profiling_seconds() const {
        double seconds = 0.0;
        for (const ProfileUnit& unit : job_.units) {
            seconds += unit.seconds_at_most;
        }
        return seconds;
    }

    void profile() {
        ProfileJob plan;
        plan.measure = measure_;
        plan.measure.instruments = instruments_;
        plan.retry_failed = job_.retry_failed;
        plan.caches = {job_.state.cache};
        std::vector<Network> graphs;
        double graph_seconds = 0.0;
        for (const ProfileUnit& unit : job_.units) {
            if (unit.swept && !unit.model.stages) {
                graphs.push_back(*unit.model.network);
                graph_seconds += unit.seconds_at_most;
            } else if (unit.swept) {
                plan.swept.push_back(*unit.model.stages);
                plan.spaces.push_back(for_all_budgets(suite_, space_of(suite_, *unit.model.stages)));
            } else {
                plan.own_layers.push_back(*unit.model.network);
            }
        }
        clock_.begin(events_, RunStep::profile,
                     label(fmt::format("profiling {} networks", job_.units.size())), profiling_seconds());
        if (job_.units.empty()) {
            return;
        }
        plan.sweep.tolerance = suite_.tolerance;
        plan.sweep.max_seconds = 60.0 * suite_.minutes;
        plan.left_s = [this] { return clock_.left_of_step_s(); };
        if (!graphs.empty()) {
            ProfileJob of_graphs = plan;
            of_graphs.swept.clear();
            of_graphs.spaces.clear();
            of_graphs.own_layers = std::move(graphs);
            const SpaceSettings space = for_all_budgets(suite_, space_of_graphs(suite_));
            of_graphs.graph_widths = GraphWidths{.min_ratio = *space.min_width_ratio,
                                                 .max_ratio = *space.max_width_ratio,
                                                 .grid = suite_.grid};
            const double others = 1.0 - graph_seconds / profiling_seconds();
            plan.left_s = [this, others] { return others * clock_.left_of_step_s(); };
            if (!plan.swept.empty() || !plan.own_layers.empty()) {
                profile_once(std::move(plan));
            }
            profile_once(std::move(of_graphs));
        } else {
            profile_once(std::move(plan));
        }
        now_ = input_fingerprint(suite_, job_.manifest.suite_hash, job_.state, table_);
        if (!events_.stop_requested()) {
            provenance_.profiled = profiling_of(suite_, now_);
            provenance_.profiled->warnings = result_.warnings;
        }
    }

    void profile_once(ProfileJob plan) {
        if (events_.stop_requested()) {
            return;
        }
        const ProfileOutcome outcome = profile_models(device_.handle, table_, std::move(plan), events_);
        if (outcome.rows.given_up > 0) {
            warn(fmt::format("{} rows have no value: the device was lost", outcome.rows.given_up));
        }
        if (outcome.rows.noisy > 0 || outcome.rows.failed > 0) {
            warn(fmt::format("of {} rows measured, {} are noisy and {} have no value", outcome.rows.measured,
                             outcome.rows.noisy, outcome.rows.failed));
        }
        for (const SweptModel& swept : outcome.swept) {
            if (swept.summary.out_of_time && clock_.is_limited() && !events_.stop_requested()) {
                keep_warning(fmt::format(
                    "{}: the run's time limit left widths of it interpolated that more time would measure",
                    swept.model));
            }
        }
        if (outcome.rows.measured > 0) {
            keep_doubts();
        }
    }

    void warn_of_pace() {
        const std::string remedy = fmt::format("remove {}, and the same command measures them again",
                                               (job_.folder / "provenance.json").string());
        if (const auto warning = speed_warning(device_.handle, table_, measure_, remedy)) {
            warn(*warning);
        }
    }

    void compare_all() {
        for (const SuiteModel& one : suite_.models) {
            for (const Budget& budget : suite_.budgets) {
                const std::string step = fmt::format("comparing {} at {}{}", one.network->name, budget.text(),
                                                     budget.is_ratio() ? " times its latency" : "");
                if (keep_comparison(step, one, budget)) {
                    continue;
                }
                all_kept_ = false;
                if (may_go_on(step) && has_own_layers(one, step)) {
                    clock_.begin(events_, RunStep::compare, label(step), usual_comparison_seconds(suite_));
                    compare_at(one, budget);
                }
            }
        }
    }

    // Where the time was up before the network was run as it is, there is nothing to compare with.
    bool has_own_layers(const SuiteModel& model, const std::string& step) {
        if (!clock_.is_limited() ||
            TableView(table_, model.network->graph, job_.state).base_estimate().missing_layers == 0) {
            return true;
        }
        result_.finished = false;
        warn(fmt::format(
            "the suite's time limit came before {} was measured, so there is no {}; the same command goes on "
            "from there",
            model.network->name, step));
        return false;
    }

    // Whether an earlier run did it. Accuracies are shown as they are known now.
    bool keep_comparison(const std::string& step, const SuiteModel& model, const Budget& budget) {
        std::optional<records::ComparisonRecord> record =
            finished_comparison(job_.folder / records::comparison_file_name(model.network->name, budget),
                                now_, job_.retry_failed);
        if (!record) {
            return false;
        }
        clock_.skip(events_, RunStep::compare, label(step + " was finished before"),
                    usual_comparison_seconds(suite_));
        remove_accuracies(*record);
        finish(std::move(*record), model, budget);
        return true;
    }

    void compare_at(const SuiteModel& model, const Budget& budget) {
        ComparisonSettings settings;
        settings.budget = budget;
        settings.strategies = suite_.strategies;
        settings.space = model.stages ? space_of(suite_, *model.stages) : space_of_graphs(suite_);
        for (const auto& [of, file] : suite_.gains) {
            if (of == model.name) {
                settings.gain_files.push_back(file);
            }
        }
        Progress progress(events_);
        SessionBudget sessions;
        SessionSeconds session_s;
        if (clock_.is_limited()) {
            sessions = SessionBudget([this] { return clock_.left_of_step_s(); });
            settings.sessions = &sessions;
            session_s = [&sessions](std::size_t) { return sessions.session_s(); };
        }
        const TimeNetworks timer =
            device_timer(device_.handle, table_, measure_, progress.work_events(), session_s);
        records::ComparisonRecord record;
        if (model.stages) {
            record = compare(ModelView(table_, *model.stages, job_.state), settings, timer);
        } else {
            settings.l1_scores = pruning_scores(*model.network, {}).norms;
            record =
                compare(TableView(table_, model.network->graph, job_.state), *model.network, settings, timer);
        }
        if (events_.stop_requested()) {
            return;  // what the timings lack would pass for what the device cannot do
        }
        keep_doubts();
        record.input_fingerprint = now_;
        record.measured_at = records::timestamp();
        finish(std::move(record), model, budget);
    }

    void finish(records::ComparisonRecord record, const SuiteModel& model, const Budget& budget) {
        const std::string& name = model.network->name;
        if (job_.accuracies) {
            add_accuracies(record, *job_.accuracies, events_);
        }
        records::write_record(job_.folder / records::comparison_file_name(name, budget), to_json(record));
        const int untimed = untimed_rows(record);
        if (untimed > 0) {
            warn(
                fmt::format("{} at {}: {} of {} strategies are predictions only, the run's time limit left "
                            "none for timing them",
                            name, budget.text(), untimed, record.strategies.size()));
        }
        if (has_gaps(record)) {
            warn(fmt::format("{} at {}: some strategies could not be measured, or only with noise", name,
                             budget.text()));
        }
        if (const auto warning = peak_warning(record)) {
            const Remedy remedy{{model.name}, table_.file(), table_.device(), job_.state};
            events_.warn(*warning, remedy.profile());
            keep_warning(*warning + " " + remedy.profile().text());
            result_.complete = false;
        }
        add_verified(record, record.base, name, "base");
        // Many strategies choose what another has chosen, the base above all: it is one measurement.
        std::set<std::string> networks{record.base.model_hash};
        for (const records::StrategyRow& row : record.strategies) {
            if (networks.insert(row.model_hash).second) {
                add_verified(record, row, fmt::format("{} {} at {}", name, row.strategy, budget.text()),
                             "strategy");
            }
        }
        result_.comparisons.push_back(std::move(record));
    }

    // A comparison measures networks that its table predicted: each is a check of the table too.
    void add_verified(const records::ComparisonRecord& record, const records::StrategyRow& row,
                      const std::string& name, const std::string& role) {
        if (row.predicted_us && row.measured_us) {
            verified_.models.push_back(
                {{name, row.spec.empty() ? row.model_hash : hex_hash(row.spec), job_.state.batch,
                  job_.state.type, job_.state.cache, *row.predicted_us, *row.measured_us,
                  row.ci95_us.value_or(0.0), record.measured_at},
                 role});
        }
    }

    void verify() {
        // Comparisons are checks of the table too, so that verify.json has them.
        if (all_kept_ && finished_verification(job_.folder, now_)) {
            if (!suite_.verify.empty()) {
                clock_.skip(events_, RunStep::verify, label("verifying was finished before"),
                            verification_seconds(suite_));
            }
            return;
        }
        std::vector<ModelToVerify> models;
        for (const SuiteModel& model : suite_.verify) {
            models.push_back({*model.network, "zoo"});
        }
        if (!models.empty()) {
            if (!may_go_on("verifying")) {
                return;
            }
            clock_.begin(events_, RunStep::verify,
                         label(fmt::format("measuring {} whole networks beside the table's predictions",
                                           models.size())),
                         verification_seconds(suite_));
        }
        Progress progress(events_);
        SessionSeconds session_s;
        if (clock_.is_limited()) {
            session_s = [allotted_s = clock_.left_of_step_s(), all = models.size()](std::size_t networks) {
                return allotted_s * static_cast<double>(networks) / static_cast<double>(all);
            };
        }
        VerifyOutcome outcome = verify_models(
            table_, std::move(models), job_.state,
            device_timer(device_.handle, table_, measure_, progress.work_events(), session_s), events_);
        for (const records::VerifiedModel& one : outcome.report.models) {
            table_.put(one.record);
        }
        for (const records::SkippedModel& one : outcome.report.skipped) {
            warn(fmt::format("{} was not verified: {}", one.model, one.reason));
        }
        auto& models_verified = outcome.report.models;
        models_verified.insert(models_verified.end(), verified_.models.begin(), verified_.models.end());
        if (result_.finished && !events_.stop_requested()) {
            outcome.report.input_fingerprint = now_;
        }
        records::write_record(job_.folder / "verify.json", to_json(outcome.report));
    }

    void write_table() const {
        std::ostringstream rows;
        write_json(table_, filter_of(job_.state), rows);
        records::write_record(job_.folder / "table.json", rows.str());
    }

    void write_provenance() {
        provenance_.finished_at = records::timestamp();
        records::write_record(job_.folder / "provenance.json", to_json(provenance_));
    }

    const StateJob& job_;
    const Suite& suite_;
    const DeviceAccess& device_;
    Instruments* instruments_;
    Table& table_;
    RunClock& clock_;
    Events& events_;
    MeasureSettings measure_;
    records::Provenance provenance_;
    records::InputFingerprint now_;         // what records are made from, as the table is now
    bool all_kept_ = true;                  // of the comparisons so far
    records::VerificationReport verified_;  // from the comparisons
    StateResult result_;
};

}  // namespace

StateResult run_state(const StateJob& job, const DeviceAccess& device, Instruments* instruments, Table& table,
                      RunClock& clock, Events& events) {
    return StateRun(job, device, instruments, table, clock, events).run();
}

std::string name_of(const MeasuredState& state) {
    return fmt::format("batch {} {} {}", state.batch, name_of(state.type), name_of(state.cache));
}

std::string folder_name(const MeasuredState& state) {
    return fmt::format("batch{}-{}-{}", state.batch, name_of(state.type), name_of(state.cache));
}

}  // namespace hacscale::harness
