// Answers of the training commands, as JSON.
#pragma once

#include <vector>

#include "cli/print_json.hpp"
#include "harness/train/train_run.hpp"

namespace hacscale::harness {

Json outcomes_json(const std::vector<RunOutcome>& outcomes);
Json records_json(const AccuracyRecords& records);

}  // namespace hacscale::harness
