#include "harness/train/training_json.hpp"

#include <map>

#include "harness/train/gain_ranks.hpp"
#include "models/formats/formats.hpp"
#include "models/stages/lowering.hpp"
#include "models/structure/structure.hpp"
#include "models/weights/scaled_network.hpp"
#include "records/json.hpp"

namespace hacscale::harness {

namespace {

records::Json key_json(const RunKey& key) {
    return {{"model", key.model},
            {"model_hash", key.model_hash},
            {"recipe", key.recipe},
            {"recipe_hash", key.recipe_hash},
            {"seed", key.seed},
            {"data_hash", key.data_hash},
            {"start_hash", key.start_hash.empty() ? records::Json(nullptr) : records::Json(key.start_hash)}};
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
    object["learning_curve"] = records::Json::array();
    for (const EpochFigures& epoch : result.learning_curve) {
        object["learning_curve"].push_back({{"loss", epoch.loss},
                                            {"train_accuracy", epoch.train_accuracy},
                                            {"validation_accuracy", epoch.validation_accuracy}});
    }
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

namespace {

records::Json header(const char* kind, const ModelSpec& model) {
    return {{"kind", kind}, {"model", model.name}, {"model_hash", model_hash(model)}};
}

records::Json measured_json(const MeasuredGain& gain) {
    return {{"points", gain.mean}, {"spread", records::value_or_null(gain.spread)}, {"seeds", gain.seeds}};
}

records::Json dimension_json(const std::optional<DimensionSensitivity>& dimension) {
    if (!dimension) {
        return nullptr;
    }
    records::Json object{{"coefficient", dimension->coefficient.mean}};
    if (dimension->coefficient.spread) {
        object["spread"] = *dimension->coefficient.spread;
    }
    object["seeds"] = dimension->points.seeds;
    object["points"] = dimension->points.mean;
    object["ln_ratio"] = dimension->ln_ratio;
    return object;
}

records::Json check_json(const PredictionCheck& check) {
    records::Json object{
        {"name", check.name}, {"widths", check.choice.widths}, {"depths", check.choice.depths}};
    object["predicted"] = records::value_or_null(check.predicted_points);
    object["measured"] = check.points.mean;
    object["spread"] = records::value_or_null(check.points.spread);
    object["seeds"] = check.points.seeds;
    return object;
}

records::Json checks_json(const std::vector<PredictionCheck>& checks) {
    records::Json list = records::Json::array();
    for (const PredictionCheck& check : checks) {
        list.push_back(check_json(check));
    }
    return list;
}

// A figure of each gain, over the networks held out.
records::Json ranks_json(const std::vector<GainRank>& ranks, std::size_t networks,
                         std::optional<double> GainRank::*figure) {
    records::Json object{{"networks", networks}};
    for (const GainRank& rank : ranks) {
        object[rank.gain] = records::value_or_null(rank.*figure);
    }
    return object;
}

}  // namespace

records::Json importance_json(const ModelSpec& model, ImportanceMeasure measure,
                              const std::vector<LayerImportance>& layers, const records::Json& provenance) {
    records::Json document = header("importance", model);
    document["method"] = name_of(measure);
    records::Json list = records::Json::array();
    for (const LayerImportance& layer : layers) {
        list.push_back({{"name", layer.layer}, {"importance", layer.mean}, {"spread", layer.deviation}});
    }
    document["layers"] = std::move(list);
    document["provenance"] = provenance;
    return document;
}

records::Json scores_json(const ModelSpec& model, ImportanceMeasure measure,
                          const std::vector<LayerImportance>& layers, const records::Json& provenance) {
    const Graph graph = lower(model);
    std::map<std::string, const LayerImportance*> of_layer;
    for (const LayerImportance& layer : layers) {
        of_layer[layer.layer] = &layer;
    }
    const auto find = [&](int node) {
        const auto found = of_layer.find(graph.nodes[static_cast<std::size_t>(node)].name);
        return found == of_layer.end() ? nullptr : found->second;
    };
    records::Json document = header("scores", model);
    document["method"] = name_of(measure);
    document["groups"] = records::Json::object();
    for (const ChannelGroup& group : channel_groups(graph, {.grouped_convs = grouped_convs_of(model)})) {
        std::vector<double> units(static_cast<std::size_t>(group.units()), 0.0);
        bool known = false;
        for (const int producer : group.producers) {
            const LayerImportance* const layer = find(producer);
            const TensorId output = graph.nodes[static_cast<std::size_t>(producer)].outputs.front();
            for (const ChannelSegment& segment : group.segments) {
                if (layer == nullptr || segment.tensor != output || layer->channels.empty()) {
                    continue;
                }
                const int each = segment.channels / group.units();
                for (int c = 0; c < segment.channels; ++c) {
                    units[static_cast<std::size_t>(c / each)] +=
                        layer
                            ->channels[static_cast<std::size_t>(segment.first) + static_cast<std::size_t>(c)];
                }
                known = true;
            }
        }
        if (known) {
            document["groups"][group.name] = units;
        }
    }
    document["blocks"] = records::Json::object();
    for (const Repeat& repeat : repeats(graph)) {
        std::vector<double> blocks;
        for (int block = 0; block < repeat.count; ++block) {
            const int begin = repeat.first_node + block * repeat.block_nodes;
            for (int node = begin; node < begin + repeat.block_nodes; ++node) {
                const LayerImportance* const layer = find(node);
                if (layer != nullptr && graph.nodes[static_cast<std::size_t>(node)].layer.residual) {
                    blocks.push_back(layer->whole);
                }
            }
        }
        if (static_cast<int>(blocks.size()) == repeat.count) {
            document["blocks"][repeat.name] = blocks;
        }
    }
    document["provenance"] = provenance;
    return document;
}

records::Json sensitivity_json(const ModelSpec& model, const Sensitivity& fit,
                               const std::vector<LeftOut>& left_out, const records::Json& provenance) {
    records::Json document = header("sensitivity", model);
    document["unit"] = "accuracy points";
    records::Json stages = records::Json::array();
    for (std::size_t s = 0; s < fit.stages.size(); ++s) {
        stages.push_back({{"name", model.stages[s].name},
                          {"width", dimension_json(fit.stages[s].width)},
                          {"depth", dimension_json(fit.stages[s].depth)}});
    }
    document["stages"] = std::move(stages);
    document["resolution"] = nullptr;
    document["base"] = fit.base ? measured_json(*fit.base) : records::Json(nullptr);
    document["combinations"] = checks_json(fit.combinations);
    document["held_out"] = checks_json(fit.held_out);
    const std::vector<GainRank> ranks = gain_ranks(model, fit);
    document["rank_correlation"] = ranks_json(ranks, fit.held_out.size(), &GainRank::correlation);
    document["mean_error"] = ranks_json(ranks, fit.held_out.size(), &GainRank::mean_error);
    records::Json missing = records::Json::array();
    for (const LeftOut& one : left_out) {
        missing.push_back({{"what", one.what}, {"reason", one.reason}});
    }
    document["left_out"] = std::move(missing);
    document["provenance"] = provenance;
    return document;
}

}  // namespace hacscale::harness
