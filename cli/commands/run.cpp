#include "cli/commands/run.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <optional>

#include "cli/options.hpp"
#include "harness/measure/restart.hpp"
#include "harness/suite/dry_run.hpp"
#include "harness/suite/run_suite.hpp"

namespace hacscale::cli {

namespace {

struct RunOptions {
    std::string suite;
    std::string out;
    std::string shard;
    std::optional<double> minutes;
    bool dry_run = false;
    bool details = false;
    CounterOptions counters;
};

}  // namespace

Run declare_run(CLI::App& parser) {
    auto options = std::make_shared<RunOptions>();
    parser.add_option("suite", options->suite, "The suite's YAML file")->required();
    parser.add_option("--out", options->out, "Folder for records and report; else out/ and the suite's name");
    parser.add_option("--shard", options->shard, "I/N: measure only this part, into a folder of its own");
    parser
        .add_option("--minutes", options->minutes,
                    "For the whole run, at most; else the suite's total_minutes")
        ->check(CLI::PositiveNumber);
    parser.add_flag("--dry-run", options->dry_run, "Say what would be measured and how long it may take");
    add_details_option(parser, options->details);
    add_counter_options(parser, options->counters);
    return [options](Session& session) {
        Suite suite = load_suite(options->suite);
        suite.total_minutes = options->minutes.value_or(suite.total_minutes);
        const std::filesystem::path folder = options->out.empty() ? std::filesystem::path("out") / suite.name
                                                                  : std::filesystem::path(options->out);
        const std::optional<Shard> shard =
            options->shard.empty() ? std::nullopt : std::optional(parse_shard(options->shard));
        if (options->dry_run) {
            dry_run(suite, folder, shard, session);
            return ExitStatus::done;
        }
        return surviving_lost_devices(session, [&](bool retry_failed) {
            return run_suite(suite, folder, {options->counters, shard, retry_failed, options->details},
                             session);
        });
    };
}

}  // namespace hacscale::cli
