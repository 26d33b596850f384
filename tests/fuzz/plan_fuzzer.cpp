// A training plan: what is read has as many runs as models and seeds, and its text reads back as the same.
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/fuzzers.hpp"
#include "training/plan.hpp"

namespace hacscale::fuzzing {

void fuzz_plan(std::string_view bytes) {
    const auto plan = accepted(bytes, [&] { return parse_plan(bytes, "fuzzed.yaml", folder()); });
    if (!plan) return;
    require(runs_of(*plan).size() == plan->models.size() * plan->seeds.size(), "a plan lacks runs");
    const PlanText text{plan->name, {"resnet8-cifar"},     plan->seeds,
                        "short",    plan->record.string(), plan->checkpoints.string()};
    const TrainingPlan again = parse_plan(to_yaml(text), "written.yaml", folder());
    require(again.name == plan->name && again.seeds == plan->seeds && again.record == plan->record &&
                again.checkpoints == plan->checkpoints,
            "a plan is another one when it was written");
}

}  // namespace hacscale::fuzzing
