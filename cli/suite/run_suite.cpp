#include "cli/suite/run_suite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "base/hash.hpp"
#include "cli/comparison/accuracies.hpp"
#include "cli/comparison/compare.hpp"
#include "cli/comparison/comparison_text.hpp"
#include "cli/interrupt.hpp"
#include "cli/measuring/device_access.hpp"
#include "cli/measuring/device_timer.hpp"
#include "cli/measuring/profile_models.hpp"
#include "cli/measuring/verify_models.hpp"
#include "cli/print_json.hpp"
#include "cli/records/provenance.hpp"
#include "cli/records/record_file.hpp"
#include "models/zoo.hpp"
#include "profiler/table/export.hpp"
#include "report/report.hpp"

namespace hacscale::cli {

namespace {

class SuiteRun {
public:
    SuiteRun(const Suite& suite, const std::filesystem::path& folder, const RunSettings& settings,
             Session& session)
        : suite_(suite),
          folder_(folder),
          session_(session),
          device_(open_device(suite.device, suite.threads, session)),
          record_(device_.record()),
          instruments_(settings.counters.open(device_.handle.device)),
          retry_failed_(settings.retry_failed),
          accuracies_(known_accuracies()),
          table_(open_table()) {
        measure_.batch = suite.batch;
        measure_.type = suite.type;
        measure_.rules.most_seconds = suite.seconds;
        provenance_ = {session.command_line,
                       suite.name,
                       timestamp(),
                       "",
                       record_,
                       suite.batch,
                       suite.type,
                       suite.cache,
                       device_.handle.device.threads,
                       device_.handle.device.warnings};
        for (const std::string& name : suite.models) {
            models_.push_back(find_model(name));
        }
    }

    ExitStatus run() {
        profile();
        write_provenance();
        for (std::size_t i = 0; i < models_.size(); ++i) {
            for (const double budget : suite_.budgets) {
                if (!interrupted()) {
                    compare_at(i, budget);
                }
            }
        }
        if (!interrupted()) {
            verify();
        }
        write_table();
        write_provenance();
        if (interrupted()) {
            session_.log.warn(
                "interrupted; what was measured is in {}, and the same command goes on from there",
                folder_.string());
            return ExitStatus::incomplete;
        }
        answer(write_report(folder_));
        return complete_ ? ExitStatus::done : ExitStatus::incomplete;
    }

private:
    std::optional<KnownAccuracies> known_accuracies() const {
        if (suite_.record.empty()) {
            return std::nullopt;
        }
        if (!std::filesystem::exists(suite_.record)) {
            session_.log.warn("there are no accuracy records in {} yet, so no accuracy is shown",
                              suite_.record.string());
        }
        return KnownAccuracies(suite_.record, suite_.recipe, true);
    }

    Table open_table() const {
        make_record_folder(folder_);
        return Table::open(folder_ / "table.db", OpenMode::create, &record_);
    }

    MeasuredState state() const { return {suite_.batch, suite_.type, suite_.cache}; }

    SpaceSettings space_of(const ModelSpec& model) const {
        SpaceSettings settings;
        settings.grid = suite_.grid;
        settings.max_width_ratio = suite_.max_width_ratio;
        settings.max_depth_ratio = suite_.max_depth_ratio;
        settings.min_inner_ratio = suite_.min_inner_ratio;
        settings.max_inner_ratio = suite_.max_inner_ratio;
        settings.inner_widths = suite_.inner_widths;
        for (int step = 1; step <= suite_.resolution_steps; ++step) {
            settings.resolutions.push_back(model.resolution + step * resolution_step(model));
        }
        return settings;
    }

    void warn(const std::string& text) {
        session_.log.warn("{}", text);
        provenance_.warnings.push_back(text);
        complete_ = false;
    }

    void profile() {
        ProfilePlan plan;
        plan.measure = measure_;
        plan.measure.instruments = instruments_.get();
        plan.retry_failed = retry_failed_;
        plan.caches = {suite_.cache};
        // Other widths are measured inside networks, so in that state only.
        const bool sweeps = suite_.cache == CacheState::network;
        (sweeps ? plan.swept : plan.own_layers) = models_;
        for (const ModelSpec& model : plan.swept) {
            plan.spaces.push_back(space_of(model));
        }
        for (const std::string& name : suite_.verify) {
            plan.own_layers.push_back(find_model(name));
        }
        plan.sweep.tolerance = suite_.tolerance;
        plan.sweep.most_seconds = 60.0 * suite_.minutes;
        const ProfileOutcome outcome = profile_models(device_.handle, table_, plan, session_);
        if (outcome.rows.given_up > 0) {
            warn(fmt::format("{} rows have no value: the device was lost", outcome.rows.given_up));
        }
        if (outcome.rows.noisy > 0 || outcome.rows.failed > 0) {
            warn(fmt::format("of {} rows measured, {} are noisy and {} have no value", outcome.rows.measured,
                             outcome.rows.noisy, outcome.rows.failed));
        }
    }

    void compare_at(std::size_t index, double budget) {
        const ModelSpec& model = models_[index];
        session_.log.info("comparing strategies for {} at {} times its latency", model.name, budget);
        ComparisonSettings settings;
        settings.budget = budget;
        settings.strategies = suite_.strategies;
        settings.space = space_of(model);
        for (const auto& [name, file] : suite_.gains) {
            if (name == suite_.models[index]) {
                settings.gain_files.push_back(file);
            }
        }
        const TableView view(table_, model, state());
        Progress progress(session_.err, session_.progress);
        ComparisonRecord record =
            compare(view, settings, device_timer(device_.handle, measure_, work_events(progress)));
        if (accuracies_) {
            add_accuracies(record, *accuracies_, session_);
        }
        write_record(folder_ / comparison_file_name(model.name, budget), to_json(record));
        if (has_gaps(record)) {
            warn(fmt::format("{} at {}: some strategies could not be measured, or only with noise",
                             model.name, budget));
        }
        add_verified(record.base, model.name, "base");
        for (const StrategyRow& row : record.strategies) {
            add_verified(row, fmt::format("{} {} at {}", model.name, row.strategy, budget), "strategy");
        }
        comparisons_.push_back(std::move(record));
    }

    // A comparison measures networks that its table predicted: each is a check of the table too.
    void add_verified(const StrategyRow& row, const std::string& name, const std::string& role) {
        if (row.predicted_us && row.measured_us) {
            verified_.models.push_back(
                {{name, hex_hash(row.spec), suite_.batch, suite_.type, suite_.cache, *row.predicted_us,
                  *row.measured_us, row.ci95_us.value_or(0.0), timestamp()},
                 role});
        }
    }

    void verify() {
        std::vector<ModelToVerify> models;
        for (const std::string& name : suite_.verify) {
            models.push_back({find_model(name), "zoo"});
        }
        if (!models.empty()) {
            session_.log.info("measuring {} whole networks beside the table's predictions", models.size());
        }
        Progress progress(session_.err, session_.progress);
        VerifyOutcome outcome = verify_models(table_, models, state(),
                                              device_timer(device_.handle, measure_, work_events(progress)));
        for (const VerifiedModel& one : outcome.report.models) {
            table_.put(one.record);
        }
        for (const SkippedModel& one : outcome.report.skipped) {
            warn(fmt::format("{} was not verified: {}", one.model, one.reason));
        }
        auto& models_verified = outcome.report.models;
        models_verified.insert(models_verified.end(), verified_.models.begin(), verified_.models.end());
        write_record(folder_ / "verify.json", to_json(outcome.report));
    }

    void write_table() const {
        std::ostringstream rows;
        write_json(table_, {}, rows);
        write_record(folder_ / "table.json", rows.str());
    }

    void write_provenance() {
        provenance_.finished_at = timestamp();
        write_record(folder_ / "provenance.json", to_json(provenance_));
    }

    void answer(const std::vector<std::filesystem::path>& files) const {
        if (session_.json) {
            Json names = Json::array();
            for (const std::filesystem::path& file : files) {
                names.push_back(file.string());
            }
            Json comparisons = Json::array();
            for (const ComparisonRecord& record : comparisons_) {
                comparisons.push_back(Json::parse(to_json(record)));
            }
            print_json(session_.out, {{"suite", suite_.name},
                                      {"folder", folder_.string()},
                                      {"complete", complete_},
                                      {"warnings", provenance_.warnings},
                                      {"comparisons", std::move(comparisons)},
                                      {"files", std::move(names)}});
            return;
        }
        for (const ComparisonRecord& record : comparisons_) {
            print_comparison(session_.out, record);
            session_.out << '\n';
        }
        for (const std::filesystem::path& file : files) {
            session_.out << file.string() << '\n';
        }
    }

    const Suite& suite_;
    const std::filesystem::path& folder_;
    Session& session_;
    DeviceAccess device_;
    DeviceRecord record_;
    std::unique_ptr<Instruments> instruments_;
    bool retry_failed_;
    std::optional<KnownAccuracies> accuracies_;  // opened before anything is measured
    Table table_;
    MeasureSettings measure_;
    Provenance provenance_;
    std::vector<ModelSpec> models_;
    std::vector<ComparisonRecord> comparisons_;
    VerificationReport verified_;  // from the comparisons
    bool complete_ = true;
};

}  // namespace

ExitStatus run_suite(const Suite& suite, const std::filesystem::path& folder, const RunSettings& settings,
                     Session& session) {
    return SuiteRun(suite, folder, settings, session).run();
}

}  // namespace hacscale::cli
