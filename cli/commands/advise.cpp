// advise: where a network spends and wastes its time, and at which widths it would not, from a table.
#include <CLI/CLI.hpp>
#include <memory>
#include <sstream>

#include "base/text/lines.hpp"
#include "cli/commands.hpp"
#include "cli/network_options.hpp"
#include "cli/options.hpp"
#include "cli/printing/printing.hpp"
#include "harness/advise/advice.hpp"
#include "models/zoo/zoo.hpp"
#include "records/record_file.hpp"
#include "report/formats/formats.hpp"

namespace hacscale::cli {

namespace {

struct AdviseOptions {
    std::string model;
    InputOptions inputs;
    std::string table;
    std::string markdown;
    bool details = false;
    StateOptions state;
    AdviseSettings settings;
};

Advice advised(const AdviseOptions& options, Session& session) {
    const Table table = Table::open(options.table, OpenMode::read);
    const MeasuredState state = options.state.state();
    if (is_onnx_file(options.model) || !options.inputs.given.empty()) {
        const Network network = network_named(options.model, options.inputs, session);
        return advice_on(table, network, state, options.settings);
    }
    return advice_on(table, find_model(options.model), state, options.settings);
}

ExitStatus advise(const AdviseOptions& options, Session& session) {
    const Advice advice = advised(options, session);
    const report::Document document = advice_document(advice);
    if (!options.markdown.empty()) {
        std::ostringstream text;
        report::write_markdown(document, text);
        records::write_record(options.markdown, text.str());
    }
    if (session.json) {
        session.out << to_json(advice);
    } else {
        if (options.details) {
            print_document(session.out, document);
        }
        const Remedy remedy{
            {options.model}, options.table, advice.device, advice.state, options.inputs.given};
        print_lines(session.out, advice_lines(advice, remedy));
        if (!options.details) {
            session.out << "every layer and width: --details, or --markdown FILE\n";
        }
    }
    return has_gaps(advice) ? ExitStatus::incomplete : ExitStatus::done;
}

}  // namespace

Run declare_advise(CLI::App& parser) {
    auto options = std::make_shared<AdviseOptions>();
    parser.add_option("model", options->model, "A name of the zoo, or a YAML or ONNX file")->required();
    add_input_option(parser, options->inputs);
    parser.add_option("--table", options->table, "The table's file")->required();
    parser
        .add_option("--tolerance", options->settings.tolerance,
                    "Extra latency that counts as none, over the base's")
        ->check(CLI::Range(0.0001, 1.0))
        ->capture_default_str();
    parser.add_option("--grid", options->settings.grid, "Widths looked at are multiples of this")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    parser
        .add_option("--max-width-ratio", options->settings.max_width_ratio,
                    "Widest width looked at, over the base's")
        ->check(CLI::Range(1.0, 16.0))
        ->capture_default_str();
    add_state_options(parser, options->state);
    add_details_option(parser, options->details);
    parser.add_option("--markdown", options->markdown, "Also write the answer into this file, as Markdown");
    return [options](Session& session) { return advise(*options, session); };
}

}  // namespace hacscale::cli
