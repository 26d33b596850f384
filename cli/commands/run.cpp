#include "cli/commands/run.hpp"

#include <filesystem>
#include <memory>

#include "cli/measuring/restart.hpp"
#include "cli/options.hpp"
#include "cli/suite/run_suite.hpp"

namespace hacscale::cli {

namespace {

struct RunOptions {
    std::string suite;
    std::string out;
    CounterOptions counters;
};

}  // namespace

Run declare_run(CLI::App& parser) {
    auto options = std::make_shared<RunOptions>();
    parser.add_option("suite", options->suite, "The suite's YAML file")->required();
    parser.add_option("--out", options->out, "Folder for records and report; else out/ and the suite's name");
    add_counter_options(parser, options->counters);
    return [options](Session& session) {
        const Suite suite = load_suite(options->suite);
        const std::filesystem::path folder = options->out.empty() ? std::filesystem::path("out") / suite.name
                                                                  : std::filesystem::path(options->out);
        return surviving_lost_devices(session, [&](bool retry_failed) {
            return run_suite(suite, folder, {options->counters, retry_failed}, session);
        });
    };
}

}  // namespace hacscale::cli
