// `hacscale explain`: what one step in each dimension adds, for the base and for what HACScale chose.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/logger.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "base/text/lines.hpp"
#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/printing/printing.hpp"
#include "harness/compare/describe.hpp"
#include "harness/measure/remedy.hpp"
#include "harness/measure/table_view.hpp"
#include "models/stages/model_spec.hpp"
#include "models/zoo/zoo.hpp"
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
    Caps caps;
    StateOptions state;
    bool details = false;
    SpaceSettings space;
};

records::Explanation explained(const ExplainOptions& options, DeviceRecord& device) {
    const Budget given = parse_budget(options.budget);
    const ModelSpec model = keeping(find_model(options.model), options.keep);
    const Table table = Table::open(options.table, OpenMode::read);
    device = table.device();
    const ModelView view(table, model, options.state.state());
    const double budget = given.ratio(view.base_estimate().latency_us, view.state().batch);
    ScalingSettings settings;
    settings.space = options.space;
    settings.max_budget = budget;
    settings.caps = options.caps;
    settings.batch = view.state().batch;
    settings.type = view.state().type;
    const StageContext context(view.base(), view.source(), settings,
                               load_gain(options.gain_files, view.base()));
    const double budget_us = context.budget_us(budget);

    records::Explanation explanation;
    explanation.model = model.name;
    explanation.device = table.device().id;
    explanation.budget = budget;
    explanation.budget_given = given.is_ratio() ? "" : given.text();
    explanation.state = view.state();
    explanation.gain_origin = name_of(context.gain().origin);
    explanation.gain_unit = context.gain().unit;
    explanation.stages = stage_names(model);
    explanation.contributions.push_back(
        contributions_row(context, view, choice_of(context.base()), budget_us, "base"));
    const Fit chosen = fit(find_strategy("hacscale"), context, budget_us);
    explanation.reason = chosen.reason;
    if (chosen.status == FitStatus::ok) {
        explanation.contributions.push_back(
            contributions_row(context, view, chosen.result.choice, budget_us, "hacscale"));
    }
    return explanation;
}

// Measures what the space of these options has and the table lacks.
ShellCommand profile_command(const ExplainOptions& options, double budget, const DeviceRecord& device) {
    const SpaceSettings usual = for_budget({}, 1.0);
    const SpaceSettings space = for_budget(options.space, budget);
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
    return Remedy{{options.model}, options.table, device, options.state.state()}.profile(more);
}

ExitStatus explain_command(const ExplainOptions& options, Session& session) {
    DeviceRecord device;
    const records::Explanation explanation = explained(options, device);
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
    parser.add_option("model", options->model, "A name of the zoo, or a YAML file")->required();
    parser.add_option("--table", options->table, "The table's file")->required();
    add_budget_option(parser, options->budget);
    add_keep_option(parser, options->keep);
    add_state_options(parser, options->state);
    add_space_options(parser, options->space);
    add_inner_options(parser, options->space);
    add_cap_options(parser, options->caps);
    add_details_option(parser, options->details);
    parser
        .add_option("--gain", options->gain_files,
                    "Sensitivity or importance file, or one of each; or capacity; else balanced capacity")
        ->delimiter(',');
    return [options](Session& session) { return explain_command(*options, session); };
}

}  // namespace hacscale::cli
