// From networks that were compared to a training plan: the options of "compare" and "report", and what both say.
#pragma once

#include <span>

#include "cli/parser_fwd.hpp"
#include "cli/session.hpp"
#include "harness/compare/accuracies.hpp"

namespace hacscale::cli {

// --train, --seeds and --checkpoints. Returns the first, which further options may need or exclude.
CLI::Option* add_plan_options(CLI::App& parser, harness::TrainingPlanRequest& request);

// Writes the plan, and says how to train it and what it lacks.
void write_plan(std::span<const records::ComparisonRecord> comparisons,
                const harness::TrainingPlanRequest& request, Session& session);

}  // namespace hacscale::cli
