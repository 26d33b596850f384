// `hacscale explain`: what one step in each dimension adds, for the base and for what HACScale chose.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/logger.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "base/text/lines.hpp"
#include "cli/commands.hpp"
#include "cli/network_options.hpp"
#include "cli/options.hpp"
#include "cli/printing/printing.hpp"
#include "harness/compare/compare.hpp"
#include "harness/compare/describe.hpp"
#include "harness/measure/remedy.hpp"
#include "harness/measure/table_view.hpp"
#include "models/stages/model_spec.hpp"
#include "models/zoo/zoo.hpp"
#include "scaling/graph_context.hpp"
#include "scaling/stage_context.hpp"
#include "scaling/strategies/strategy.hpp"

namespace hacscale::cli {

namespace {

struct ExplainOptions {
    std::string model;
    std::string table;
    std::string budget = "1";
    std::string keep;  // empty: as the model has it
    std::vector<std::filesystem::path> gain_files;
    InputOptions inputs;
    GraphSpaceSettings graph;
    std::vector<std::string> limits;  // of it, NAME:MIN..MAX
    Caps caps;
    StateOptions state;
    bool details = false;
    SpaceSettings space;
};

Remedy remedy_for(const ExplainOptions& options, const DeviceRecord& device) {
    return {{options.model}, options.table, device, options.state.state(), options.inputs.given};
}

ScalingSettings scaling_settings(const ExplainOptions& options, const TableView& view, double budget) {
    ScalingSettings settings;
    settings.space = options.space;
    settings.max_budget = budget;
    settings.caps = options.caps;
    settings.batch = view.state().batch;
    settings.type = view.state().type;
    return settings;
}

// The base's steps and those of the choice; all but names.
template <typename Context>
records::Explanation explanation_of(const Context& context, const TableView& view, const Budget& given,
                                    double budget) {
    const double budget_us = context.budget_us(budget);
    records::Explanation explanation;
    explanation.model = context.name();
    explanation.device = view.table().device().id;
    explanation.budget = budget;
    explanation.budget_given = given.is_ratio() ? "" : given.text();
    explanation.state = view.state();
    explanation.gain_origin = name_of(context.gain_origin());
    explanation.contributions.push_back(
        contributions_row(context, view, context.base_choice(), budget_us, "base"));
    const Fit chosen = fit(find_strategy("hacscale"), context, budget_us);
    explanation.reason = chosen.reason;
    if (chosen.status == FitStatus::ok) {
        explanation.contributions.push_back(
            contributions_row(context, view, chosen.result.choice, budget_us, "hacscale"));
    }
    return explanation;
}

records::Explanation explained_model(const ExplainOptions& options, const Table& table, const Budget& given) {
    const ModelSpec model = keeping(find_model(options.model), options.keep);
    const ModelView view(table, model, options.state.state());
    require_layers(view, model.name, remedy_for(options, table.device()));
    const double budget = given.ratio(view.base_estimate().latency_us, view.state().batch);
    const StageContext context(view.base(), view.source(), scaling_settings(options, view, budget),
                               load_gain(options.gain_files, view.base()));
    records::Explanation explanation = explanation_of(context, view, given, budget);
    explanation.gain_unit = context.gain().unit;
    explanation.stages = stage_names(model);
    return explanation;
}

records::Explanation explained_network(const ExplainOptions& options, const Network& network,
                                       const Table& table, const Budget& given) {
    const TableView view(table, network.graph, options.state.state());
    require_layers(view, network.name, remedy_for(options, table.device()));
    const double budget = given.ratio(view.base_estimate().latency_us, view.state().batch);
    GraphSpaceSettings space = options.graph;
    for (const std::string& limit : options.limits) {
        space.limits.push_back(parse_width_limit(limit));
    }
    space.group_rules.grouped_convs =
        options.keep == "groups" ? GroupedConvs::keep_count : GroupedConvs::keep_width;
    space.max_widths = max_widths_of_group;
    const Network base{.name = network.name, .graph = view.network()};
    const GraphContext context(base, view.source(), scaling_settings(options, view, budget), std::move(space),
                               gain_of_graphs(options.gain_files, network.name));
    records::Explanation explanation = explanation_of(context, view, given, budget);
    explanation.gain_unit = capacity_unit;
    for (const WidthDimension& width : context.space().widths) {
        explanation.width_names.push_back(width.name);
    }
    for (const DepthDimension& depth : context.space().depths) {
        explanation.depth_names.push_back(depth.name);
    }
    return explanation;
}

records::Explanation explained(const ExplainOptions& options, DeviceRecord& device, Session& session) {
    const Budget given = parse_budget(options.budget);
    std::optional<Network> network;
    if (is_onnx_file(options.model)) {
        network = network_named(options.model, options.inputs, session);
    } else if (!options.inputs.given.empty() || !options.limits.empty() || !options.graph.freeze.empty()) {
        throw InputError("--input, --freeze and --group are for ONNX files");
    }
    const Table table = Table::open(options.table, OpenMode::read);
    device = table.device();
    return network ? explained_network(options, *network, table, given)
                   : explained_model(options, table, given);
}

// Measures what the space of these options has and the table lacks.
ShellCommand profile_command(const ExplainOptions& options, double budget, const DeviceRecord& device) {
    const SpaceSettings usual = for_budget({}, 1.0);
    const SpaceSettings space = for_budget(options.space, budget);
    if (is_onnx_file(options.model)) {
        return remedy_for(options, device)
            .profile(
                {"--widths", fmt::format("{:.3g}..{:.3g}", *space.min_width_ratio, *space.max_width_ratio)});
    }
    std::vector<std::string> more;
    const auto add = [&more](const std::string& option, double value, double usual_value) {
        if (value != usual_value) {
            more.insert(more.end(), {option, fmt::format("{:.4g}", value)});
        }
    };
    add("--grid", options.space.grid, usual.grid);
    add("--min-width-ratio", *space.min_width_ratio, *usual.min_width_ratio);
    add("--min-depth-ratio", *space.min_depth_ratio, *usual.min_depth_ratio);
    add("--max-width-ratio", *space.max_width_ratio, *usual.max_width_ratio);
    add("--max-depth-ratio", *space.max_depth_ratio, *usual.max_depth_ratio);
    add("--min-inner-ratio", options.space.min_inner_ratio, usual.min_inner_ratio);
    add("--max-inner-ratio", options.space.max_inner_ratio, usual.max_inner_ratio);
    add("--inner-widths", options.space.inner_widths, usual.inner_widths);
    if (!options.space.resolutions.empty()) {
        more.insert(more.end(),
                    {"--resolutions", fmt::format("{}", fmt::join(options.space.resolutions, ","))});
    }
    return remedy_for(options, device).profile(more);
}

ExitStatus explain_command(const ExplainOptions& options, Session& session) {
    DeviceRecord device;
    const records::Explanation explanation = explained(options, device, session);
    const ShellCommand command = profile_command(options, explanation.budget, device);
    if (session.json) {
        session.out << to_json(explanation);
    } else {
        if (options.details) {
            print_explanation(session.out, explanation);
            session.out << '\n';
        }
        print_lines(session.out, explanation_lines(explanation, command));
        if (!options.details) {
            session.out << "every step: --details\n";
        }
    }
    if (explanation.has_missing() && session.json) {  // the text of the answer has the command
        session.warn("the table lacks what some steps need; it is measured by:", command);
    }
    return explanation.has_missing() ? ExitStatus::incomplete : ExitStatus::done;
}

}  // namespace

Run declare_explain(CLI::App& parser) {
    auto options = std::make_shared<ExplainOptions>();
    parser.add_option("model", options->model, "A name of the zoo, or a YAML or ONNX file")->required();
    parser.add_option("--table", options->table, "The table's file")->required();
    add_gain_option(parser, options->gain_files);
    add_input_option(parser, options->inputs);
    add_budget_option(parser, options->budget);
    add_keep_option(parser, options->keep);
    add_state_options(parser, options->state);
    add_space_options(parser, options->space);
    add_inner_options(parser, options->space);
    add_cap_options(parser, options->caps);
    add_details_option(parser, options->details);
    add_group_options(parser, options->graph.freeze, options->limits);
    return [options](Session& session) { return explain_command(*options, session); };
}

}  // namespace hacscale::cli
