#include "harness/train/training_json.hpp"

#include <fmt/format.h>

#include "cli/text_table.hpp"
#include "records/optional_json.hpp"

namespace hacscale::cli {

namespace {

Json key_json(const RunKey& key) {
    return {{"model", key.model},   {"model_hash", key.model_hash},
            {"recipe", key.recipe}, {"recipe_hash", key.recipe_hash},
            {"seed", key.seed},     {"data_hash", key.data_hash}};
}

void add_record(Json& object, const AccuracyRecord& record) {
    const TrainingResult& result = record.result;
    object["epochs"] = result.epochs;
    object["train_accuracy"] = result.train_accuracy;
    object["validation_accuracy"] = result.validation_accuracy;
    object["test_accuracy"] = result.test_accuracy;
    object["seconds"] = result.seconds;
    object["images_per_s"] = result.images_per_s;
    object["data_wait_share"] = result.data_wait_share;
    object["device"] = record.device;
    object["precision"] = name_of(result.precision);
    object["libraries"] = record.libraries;
    object["program_version"] = record.program_version;
    object["finished_at"] = record.finished_at;
}

std::string share_text(double share) {
    return fmt::format("{:.2f}", 100.0 * share);
}

std::string share_text(const std::optional<double>& share) {
    return share ? share_text(*share) : "";
}

}  // namespace

Json outcomes_json(const std::vector<RunOutcome>& outcomes) {
    Json runs = Json::array();
    for (const RunOutcome& outcome : outcomes) {
        Json run = key_json(outcome.key);
        run["status"] = name_of(outcome.status);
        run["reason"] = outcome.reason;
        run["checkpoints"] = outcome.checkpoints.string();
        if (outcome.record) {
            add_record(run, *outcome.record);
        }
        runs.push_back(std::move(run));
    }
    return {{"runs", std::move(runs)}};
}

void print_outcomes(std::ostream& out, const std::vector<RunOutcome>& outcomes) {
    for (const RunOutcome& outcome : outcomes) {
        const std::string what =
            fmt::format("{}, recipe {}, seed {}", outcome.key.model, outcome.key.recipe, outcome.key.seed);
        if (!outcome.record) {
            out << fmt::format("{}: {}\n", what, outcome.reason);
            continue;
        }
        const TrainingResult& result = outcome.record->result;
        out << fmt::format(
            "{}: test accuracy {} %, validation {} %, training {} %; {} epochs in {:.0f} s, {:.0f} "
            "images/s{}\n",
            what, share_text(result.test_accuracy), share_text(result.validation_accuracy),
            share_text(result.train_accuracy), result.epochs, result.seconds, result.images_per_s,
            outcome.status == RunStatus::was_there ? " (recorded before)" : "");
    }
}

Json records_json(const AccuracyRecords& records) {
    Json rows = Json::array();
    for (const AccuracyRecord& record : records.all()) {
        Json row = key_json(record.key);
        add_record(row, record);
        rows.push_back(std::move(row));
    }
    Json summaries = Json::array();
    for (const AccuracySummary& summary : records.summaries()) {
        Json row = key_json(summary.key);
        row.erase("seed");
        row["device"] = summary.device;
        row["seeds"] = summary.seeds;
        row["mean_test_accuracy"] = summary.mean_test_accuracy;
        row["deviation_test_accuracy"] = value_or_null(summary.deviation_test_accuracy);
        row["mean_validation_accuracy"] = summary.mean_validation_accuracy;
        row["deviation_validation_accuracy"] = value_or_null(summary.deviation_validation_accuracy);
        summaries.push_back(std::move(row));
    }
    return {{"records", std::move(rows)}, {"summaries", std::move(summaries)}};
}

void print_records(std::ostream& out, const AccuracyRecords& records) {
    TextTable runs({{"model", Align::left},
                    {"recipe", Align::left},
                    {"seed"},
                    {"epochs"},
                    {"train %"},
                    {"validation %"},
                    {"test %"},
                    {"hours"},
                    {"images/s"},
                    {"precision", Align::left},
                    {"device", Align::left},
                    {"finished", Align::left}});
    for (const AccuracyRecord& record : records.all()) {
        const TrainingResult& result = record.result;
        runs.add({record.key.model, record.key.recipe, std::to_string(record.key.seed),
                  std::to_string(result.epochs), share_text(result.train_accuracy),
                  share_text(result.validation_accuracy), share_text(result.test_accuracy),
                  fmt::format("{:.2f}", result.seconds / 3600.0), fmt::format("{:.0f}", result.images_per_s),
                  std::string(name_of(result.precision)), record.device, record.finished_at});
    }
    runs.print(out);
    out << "\nmean and standard deviation over seeds\n";
    TextTable summaries({{"model", Align::left},
                         {"recipe", Align::left},
                         {"seeds"},
                         {"test %"},
                         {"+-"},
                         {"validation %"},
                         {"+-"},
                         {"device", Align::left}});
    for (const AccuracySummary& summary : records.summaries()) {
        summaries.add({summary.key.model, summary.key.recipe, std::to_string(summary.seeds),
                       share_text(summary.mean_test_accuracy), share_text(summary.deviation_test_accuracy),
                       share_text(summary.mean_validation_accuracy),
                       share_text(summary.deviation_validation_accuracy), summary.device});
    }
    summaries.print(out);
}

}  // namespace hacscale::cli
