#include "cli/commands/run.hpp"

#include <filesystem>
#include <memory>

#include "cli/suite/run_suite.hpp"

namespace hacscale::cli {

namespace {

struct RunOptions {
    std::string suite;
    std::string out;
};

}  // namespace

Run declare_run(CLI::App& parser) {
    auto options = std::make_shared<RunOptions>();
    parser.add_option("suite", options->suite, "The suite's YAML file")->required();
    parser.add_option("--out", options->out, "Folder for records and report; else out/ and the suite's name");
    return [options](Session& session) {
        const Suite suite = load_suite(options->suite);
        const std::filesystem::path folder = options->out.empty() ? std::filesystem::path("out") / suite.name
                                                                  : std::filesystem::path(options->out);
        return run_suite(suite, folder, session);
    };
}

}  // namespace hacscale::cli
