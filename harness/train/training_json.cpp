#include "harness/train/training_json.hpp"

#include "records/json.hpp"

namespace hacscale::harness {

namespace {

records::Json key_json(const RunKey& key) {
    return {{"model", key.model},   {"model_hash", key.model_hash},
            {"recipe", key.recipe}, {"recipe_hash", key.recipe_hash},
            {"seed", key.seed},     {"data_hash", key.data_hash}};
}

void add_record(records::Json& object, const AccuracyRecord& record) {
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

}  // namespace

records::Json outcomes_json(const std::vector<RunOutcome>& outcomes) {
    records::Json runs = records::Json::array();
    for (const RunOutcome& outcome : outcomes) {
        records::Json run = key_json(outcome.key);
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

records::Json records_json(const AccuracyRecords& records) {
    records::Json rows = records::Json::array();
    for (const AccuracyRecord& record : records.all()) {
        records::Json row = key_json(record.key);
        add_record(row, record);
        rows.push_back(std::move(row));
    }
    records::Json summaries = records::Json::array();
    for (const AccuracySummary& summary : records.summaries()) {
        records::Json row = key_json(summary.key);
        row.erase("seed");
        row["device"] = summary.device;
        row["seeds"] = summary.seeds;
        row["mean_test_accuracy"] = summary.mean_test_accuracy;
        row["deviation_test_accuracy"] = records::value_or_null(summary.deviation_test_accuracy);
        row["mean_validation_accuracy"] = summary.mean_validation_accuracy;
        row["deviation_validation_accuracy"] = records::value_or_null(summary.deviation_validation_accuracy);
        summaries.push_back(std::move(row));
    }
    return {{"records", std::move(rows)}, {"summaries", std::move(summaries)}};
}

}  // namespace hacscale::harness
