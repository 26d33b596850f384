#include "profiler/table/merge.hpp"
#include "cli/commands.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/text/lines.hpp"
#include "cli/printing/printing.hpp"
#include "harness/suite/run_manifest.hpp"
#include "records/json.hpp"

namespace hacscale::cli {

namespace {

struct MergeArguments {
    std::vector<std::string> inputs;
    std::string output;
    MergeOptions options;
    bool partial = false;
};

ExitStatus merge(const MergeArguments& arguments, Session& session) {
    const std::vector<std::filesystem::path> inputs(arguments.inputs.begin(), arguments.inputs.end());
    const std::vector<std::string> gaps = check_shards(inputs, arguments.partial);
    for (const std::string& gap : gaps) {
        session.log.warn("{}", gap);
    }
    const MergeResult result = merge_tables(inputs, arguments.output, arguments.options);
    if (session.json) {
        records::print_json(session.out, {{"file", arguments.output},
                                          {"inputs", inputs.size()},
                                          {"rows", result.rows},
                                          {"duplicates", result.duplicates},
                                          {"gaps", gaps}});
    } else {
        session.out << fmt::format("{}: {} rows of {} tables, {} of them in more than one\n",
                                   arguments.output, with_separators(result.rows), inputs.size(),
                                   with_separators(result.duplicates));
    }
    return gaps.empty() ? ExitStatus::done : ExitStatus::incomplete;
}

}  // namespace

Run declare_table_merge(CLI::App& parser) {
    auto arguments = std::make_shared<MergeArguments>();
    parser.add_option("tables", arguments->inputs, "The tables to unite")->required();
    parser.add_option("--out", arguments->output, "The table to write")->required();
    parser.add_flag("--append", arguments->options.append, "The output may exist, and its rows are kept");
    parser.add_flag("--partial", arguments->partial, "Unite shards though some are missing or unfinished");
    parser
        .add_option("--tolerance", arguments->options.tolerance,
                    "Rows may differ by this share beyond their intervals")
        ->check(CLI::Range(0.0, 0.9))
        ->capture_default_str();
    return [arguments](Session& session) { return merge(*arguments, session); };
}

}  // namespace hacscale::cli
