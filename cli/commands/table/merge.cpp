#include "profiler/table/merge.hpp"

#include <fmt/format.h>

#include <memory>

#include "cli/commands/table.hpp"
#include "cli/print_json.hpp"
#include "cli/text_table.hpp"

namespace hacscale::cli {

namespace {

struct MergeArguments {
    std::vector<std::string> inputs;
    std::string output;
    MergeOptions options;
};

ExitStatus merge(const MergeArguments& arguments, Session& session) {
    const std::vector<std::filesystem::path> inputs(arguments.inputs.begin(), arguments.inputs.end());
    const MergeResult result = merge_tables(inputs, arguments.output, arguments.options);
    if (session.json) {
        print_json(session.out, {{"file", arguments.output},
                                 {"inputs", inputs.size()},
                                 {"rows", result.rows},
                                 {"duplicates", result.duplicates}});
    } else {
        session.out << fmt::format("{}: {} rows of {} tables, {} of them in more than one\n",
                                   arguments.output, with_separators(result.rows), inputs.size(),
                                   with_separators(result.duplicates));
    }
    return ExitStatus::done;
}

}  // namespace

Run declare_table_merge(CLI::App& parser) {
    auto arguments = std::make_shared<MergeArguments>();
    parser.add_option("tables", arguments->inputs, "The tables to unite")->required();
    parser.add_option("--out", arguments->output, "The table to write")->required();
    parser.add_flag("--append", arguments->options.append, "The output may exist, and its rows are kept");
    return [arguments](Session& session) { return merge(*arguments, session); };
}

}  // namespace hacscale::cli
