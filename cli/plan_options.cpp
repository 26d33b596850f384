#include "cli/plan_options.hpp"

#include <fmt/ranges.h>
#include <spdlog/logger.h>

#include <CLI/CLI.hpp>

#include "base/text/lines.hpp"

namespace hacscale::cli {

CLI::Option* add_plan_options(CLI::App& parser, harness::TrainingPlanRequest& request) {
    CLI::Option* train = parser.add_option("--train", request.plan,
                                           "Write a training plan for the networks compared, as YAML");
    parser.add_option("--seeds", request.seeds, "Seeds of the plan, separated by commas")
        ->delimiter(',')
        ->needs(train)
        ->capture_default_str();
    parser.add_option("--checkpoints", request.checkpoints, "The plan's folder for checkpoints")
        ->needs(train);
    return train;
}

void write_plan(std::span<const records::ComparisonRecord> comparisons,
                const harness::TrainingPlanRequest& request, Session& session) {
    const std::string file = request.plan.string();
    const harness::WrittenPlan written = write_training_plan(comparisons, request);
    session.log.info("{}: {} networks x {} seeds, trained by\n{}", file, written.networks,
                     request.seeds.size(),
                     fmt::join(ShellCommand{{"hacscale", "train", "--plan", file}}.lines(), "\n"));
    if (!written.left_out.empty()) {
        session.log.info("{}: nothing to train of {}", file, fmt::join(written.left_out, ", "));
    }
}

}  // namespace hacscale::cli
