// The record of one comparison: one network at one budget, every strategy a row. compare-MODEL-BUDGET.json holds it, and
// `scale` and `compare` answer it; the keys are those of docs/formats.md, "Records of a run". Latencies are in
// microseconds, utilizations are 0..1, ratios are relative to the base. Figures that records of older programs lack, or
// that were not measured, are absent.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "models/graph/latency_source.hpp"
#include "models/stages/scaled_model.hpp"
#include "profiler/table/table.hpp"
#include "profiler/timing/statistics.hpp"
#include "records/contributions.hpp"
#include "records/provenance.hpp"

namespace hacscale::records {

class JsonPlace;

// A ratio of latencies whose 95 % interval is wider than this to either side is not judged: half of it is
// what a budget of 1.065 allows.
constexpr double largest_judged_noise = 0.03;
// A prediction further than this from its measurement is said to be off: in most cases a table's sum comes
// nearer.
constexpr double prediction_tolerance_pct = 10.0;

enum class StrategyStatus {
    ok,           // measured, and within the budget
    over_budget,  // measured, and above it
    noisy,        // measured, but the ratio to the base is known too poorly to say more: largest_judged_noise
    infeasible,   // no choice keeps the budget, or the table lacks what judging one needs
    unverified,   // predicted only
    failed,       // could not be measured; `reason` says why
};

// Top-1 accuracy of one network on the test set, over the seeds it was trained with; percent.
struct AccuracyFigures {
    double mean = 0.0;
    std::optional<double> deviation;  // the sample's; nothing for a single seed
    int seeds = 0;
    // Accuracy on the validation set after each epoch, mean over the seeds whose epochs were recorded; empty where none were.
    std::vector<double> learning_curve{};
    bool operator==(const AccuracyFigures&) const = default;
};

// A row's network in another runtime (harness/compare/elsewhere.hpp).
struct OtherLatency {
    std::string runtime;
    std::optional<double> latency_us;
    std::optional<double> latency_ratio;  // over the base's there
    std::string reason;                   // why there is none
};

struct StrategyRow {
    std::string strategy;
    StrategyStatus status = StrategyStatus::unverified;
    std::string reason;
    bool noisy = false;  // measured, but the interval stayed wide
    std::optional<double> predicted_us;
    std::optional<double> interpolated_share;  // of predicted_us, 0..1: from rows that were not measured
    std::optional<double> measured_us;
    std::optional<double> ci95_us;
    UpperPercentiles upper;                    // of the passes measured; without samples where none were
    std::optional<double> latency_ratio;       // measured over the base measured beside it
    std::optional<double> latency_ratio_ci95;  // half-width of its interval
    std::optional<double> utilization;
    std::optional<double> utilization_ratio;
    std::optional<std::int64_t> params;
    std::optional<std::int64_t> macs;          // of one image
    std::optional<std::int64_t> memory_bytes;  // weights, and the activations alive together at most
    std::optional<double> gain;
    std::optional<ScalingChoice> choice;
    std::optional<AccuracyFigures> accuracy;
    // The base's, when it was trained for as many FLOPs as this network was: what of the gain is not longer training.
    std::optional<AccuracyFigures> matched_base;
    std::vector<OtherLatency> elsewhere;  // by runtime, the same in all rows with a choice
    std::string spec;                     // the model as YAML
    std::string model_hash;               // of that model; empty where there is none
    std::vector<std::string> dominates;   // names of rows, see harness/compare/describe.hpp
    std::vector<std::string> equal_to;    // names of rows within noise in all that is judged

    bool ok() const { return status == StrategyStatus::ok; }
    // Whether it names a network.
    bool has_answer() const {
        return status != StrategyStatus::infeasible && status != StrategyStatus::failed;
    }
    std::optional<double> latency_us() const { return measured_us ? measured_us : predicted_us; }
    std::optional<double> mean_accuracy() const {
        return accuracy ? std::optional(accuracy->mean) : std::nullopt;
    }
};

struct FrontPoint {
    double latency_us = 0.0;
    double gain = 0.0;
    std::optional<std::int64_t> params;
    ScalingChoice choice;
};

struct LayerRow {
    std::string spec;  // "base" or "hacscale"
    std::string name;
    std::string key;
    std::string stage;
    int block = 0;
    LatencyEstimate latency;
    std::int64_t macs = 0;
    std::int64_t bytes = 0;
    std::optional<double> utilization;
    std::optional<double> roofline_efficiency;
    std::string implementation;
    // Of the row that the latency was read from, where the run's table is at hand; the file does not have them.
    std::optional<double> occupancy_theoretical{};
    std::optional<double> occupancy_achieved{};

    std::optional<double> latency_us() const {
        return latency.kind == EstimateKind::missing ? std::nullopt : std::optional(latency.latency_us);
    }
    // Its stage's name; "stage 3" of a stage without a name, whose layers are called "stage3.block1.conv1".
    std::string stage_name() const;
};

// The layers of a network that other strategies than HACScale chose, and that is not the base.
struct StrategyLayers {
    std::vector<std::string> strategies;
    std::vector<LayerRow> layers;
};

struct StaircaseStep {
    int width = 0;
    LatencyEstimate latency;
    std::optional<double> utilization;
    std::optional<std::int64_t> params;
};

struct StaircaseRow {
    int stage = 0;
    std::string name;
    int base_width = 0;
    std::vector<StaircaseStep> points;  // ascending in width
    std::optional<int> free_width;

    // "stage 3" where the third stage has no name.
    std::string stage_name() const { return name.empty() ? "stage " + std::to_string(stage + 1) : name; }
    // Those whose latency is known.
    std::vector<StaircaseStep> known_points() const;
};

// Which trainings the accuracies of a comparison come from.
struct AccuracyOrigin {
    std::string record{};  // the file of accuracy records
    std::string recipe{};
    std::string recipe_hash{};
    std::string data_hash{};  // empty while there is no accuracy
    // The file of accuracies of the user's own training; all else is empty then.
    std::string given_by{};
};

struct ComparisonRecord {
    std::string file;  // its name; empty where it was not read from one
    std::string model;
    std::string device;        // id
    double budget = 1.0;       // latency over the base's
    std::string budget_given;  // "8ms", "120/s": as it was asked for; empty where that was the ratio
    int batch = 1;
    DataType type = DataType::f32;
    CacheState cache = CacheState::network;
    std::string
        gain_origin;  // "balanced", "capacity", "importance", ...; empty in records of older programs: capacity
    double gain_bound = 0.0;  // ScalingContext::epsilon(), of the strategies that plan
    double gain_gap = 0.0;    // ScalingContext::gain_gap() at the budget
    std::optional<AccuracyOrigin> accuracies;
    // Whether gain is of the networks' sizes alone, which says nothing of their accuracy.
    bool gain_is_of_size() const;
    // As names of files have it.
    std::string budget_in_names() const;
    // Whether rows say which others they dominate; records of older programs do not.
    bool judged = true;
    StrategyRow base;
    std::vector<StrategyRow> strategies;
    std::optional<PeakRecord> peak;
    std::vector<FrontPoint> front;  // ascending in latency
    std::vector<std::string> stages;
    // Of each width and depth of a choice, where the network has no stages: its channel groups and repeats. Empty: the stages.
    std::vector<std::string> width_names;
    std::vector<std::string> depth_names;
    std::vector<LayerRow> layers;
    std::vector<StrategyLayers> strategy_layers;
    std::vector<StaircaseRow> staircases;
    std::vector<ContributionsRow> contributions;  // the base's, then those of the HACScale choice
    // Of a suite's run.
    std::string measured_at;  // UTC, ISO 8601
    std::optional<InputFingerprint> input_fingerprint;

    // The row of the program's own choice; null when the comparison left it out.
    const StrategyRow* hacscale() const;
    // "stage 3" where the third stage has no name.
    std::string stage_name(std::size_t index) const;
    // "stage1 width", "stage2 block 1 inner width", "resolution"
    std::string name_of_step(const Contribution& step) const;
};

// Where the accuracies of a comparison come from, after a noun: " after training with the recipe short", " as given by mine.csv";
// empty where it is not said.
std::string origin_text(const std::optional<AccuracyOrigin>& origin);

// Whether a network keeps the budget in another runtime as well, 1 % of noise allowed: whether it pays there.
bool keeps_budget_there(const ComparisonRecord& record, const OtherLatency& there);
// Strategies whose networks are predicted only.
int untimed_rows(const ComparisonRecord& record);
// Whether both chose one network.
bool same_network(const StrategyRow& a, const StrategyRow& b);

std::string_view name_of(StrategyStatus status);
// Of predicted_us, in percent of measured_us; nothing where one of them is absent.
std::optional<double> prediction_error_pct(const StrategyRow& row);
// Of measured_us; nothing where it or, as in records of older programs, the number of passes is absent.
std::optional<double> images_per_s(const ComparisonRecord& record, const StrategyRow& row);

std::string to_json(const ComparisonRecord& record);
// Throws InputError that names file, key and what was expected.
ComparisonRecord read_comparison(const JsonPlace& root);
ComparisonRecord read_comparison(const std::filesystem::path& file);

}  // namespace hacscale::records
