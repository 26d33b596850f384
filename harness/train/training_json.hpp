// Answers of the training commands, as JSON.
#pragma once

#include <string>
#include <vector>

#include "harness/train/train_run.hpp"
#include "models/stages/model_spec.hpp"
#include "records/json.hpp"
#include "training/importance.hpp"
#include "training/sensitivity.hpp"

namespace hacscale::harness {

records::Json outcomes_json(const std::vector<RunOutcome>& outcomes);
records::Json records_json(const AccuracyRecords& records);

// The files that scaling reads to know what growth is worth (docs/formats.md, "Sensitivity and importance
// files"), written as JSON.

records::Json importance_json(const ModelSpec& model, ImportanceMeasure measure,
                              const std::vector<LayerImportance>& layers, const records::Json& provenance);

// What `hacscale scale --scores` reads (models/weights/unit_scores.hpp): of each channel group, a channel's figures added up over the layers that
// write it; of each repeat whose blocks add to what they read, those of the layer that adds. Without groups for a measure that has no
// figures of channels.
records::Json scores_json(const ModelSpec& model, ImportanceMeasure measure,
                          const std::vector<LayerImportance>& layers, const records::Json& provenance);

// What is not in the file though it was asked for, or cannot be asked for.
struct LeftOut {
    std::string what;
    std::string reason;
};

records::Json sensitivity_json(const ModelSpec& model, const Sensitivity& fit,
                               const std::vector<LeftOut>& left_out, const records::Json& provenance);

}  // namespace hacscale::harness
