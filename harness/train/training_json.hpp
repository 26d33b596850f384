// Answers of the training commands, as JSON.
#pragma once

#include <vector>

#include "harness/train/train_run.hpp"
#include "records/json.hpp"

namespace hacscale::harness {

records::Json outcomes_json(const std::vector<RunOutcome>& outcomes);
records::Json records_json(const AccuracyRecords& records);

}  // namespace hacscale::harness
