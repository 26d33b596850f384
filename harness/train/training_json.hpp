// Answers of the training commands, as JSON and as text.
#pragma once

#include <ostream>
#include <vector>

#include "cli/print_json.hpp"
#include "harness/train/train_run.hpp"

namespace hacscale::cli {

Json outcomes_json(const std::vector<RunOutcome>& outcomes);
void print_outcomes(std::ostream& out, const std::vector<RunOutcome>& outcomes);

Json records_json(const AccuracyRecords& records);
void print_records(std::ostream& out, const AccuracyRecords& records);

}  // namespace hacscale::cli
