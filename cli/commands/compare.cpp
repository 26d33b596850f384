// `hacscale scale` and `hacscale compare`: a network scaled to a latency budget by one strategy or by all of
// them. Both are one command with other defaults, so they share their options and their answer. compare/ has what they write
// besides.
#include <fmt/ranges.h>
#include <spdlog/logger.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "cli/commands.hpp"
#include "cli/commands/compare/compare.hpp"
#include "cli/plan_options.hpp"
#include "cli/printing/printing.hpp"
#include "harness/compare/answer.hpp"
#include "harness/compare/given_accuracies.hpp"
#include "harness/measure/device_access.hpp"
#include "harness/measure/remedy.hpp"
#include "models/formats/formats.hpp"
#include "models/zoo/zoo.hpp"
#include "records/record_file.hpp"

namespace hacscale::cli {

namespace {

// Opened before anything is measured, so that a file that is none is found at once.
std::optional<KnownAccuracies> known_accuracies(const CompareOptions& options) {
    const bool planned = !options.training.plan.empty();
    if (planned) {
        check(options.training);
        check_trainable(find_model(options.model));
    } else if (options.training.record.empty()) {
        return std::nullopt;
    }
    return KnownAccuracies(options.training.record_file(), options.training.recipe, planned);
}

// What the table holds of networks that were measured whole in this state.
std::vector<VerificationRecord> verified_in(const Table& table, const MeasuredState& state) {
    std::vector<VerificationRecord> records = table.verifications();
    std::erase_if(records, [&](const VerificationRecord& record) {
        return MeasuredState{record.batch, record.type, record.cache} != state;
    });
    return records;
}

// Scores that were given are read in any case, so that a bad file is found before anything is measured.
void add_pruning_scores(ComparisonSettings& settings, const Network& network, const CompareOptions& options) {
    const bool ranks_norms =
        settings.strategies.empty() || std::find(settings.strategies.begin(), settings.strategies.end(),
                                                 "l1-pruning") != settings.strategies.end();
    if (network.weights.empty() || (!ranks_norms && options.files.scores.empty())) {
        return;
    }
    PruningScores scores =
        pruning_scores(network, options.files.scores, {.grouped_convs = kept_by(options.keep)});
    settings.l1_scores = std::move(scores.norms);
    settings.taylor_scores = std::move(scores.given);
}

Remedy remedy_for(const CompareOptions& options, const Table& table) {
    return {{options.model}, options.table, table.device(), options.state.state(), options.inputs.given};
}

// Timed where networks are measured, predicted from the table alone where they are not. `network` is taken where it has no stages.
records::ComparisonRecord compared(const CompareOptions& options, const std::optional<Network>& network,
                                   AnswerNotes& notes, Session& session) {
    ComparisonSettings settings = options.settings;
    settings.budget = parse_budget(options.budget);
    for (const std::string& limit : options.limits) {
        settings.graph.limits.push_back(parse_width_limit(limit));
    }
    settings.graph.group_rules.grouped_convs = kept_by(options.keep);
    ModelSpec model;
    if (network) {
        add_pruning_scores(settings, *network, options);
    } else {
        model = keeping(find_model(options.model), options.keep);
        settings.fixed = planned_choices(options.training, model.name, settings.budget);
    }
    const Table table = Table::open(options.table, OpenMode::read);
    const auto compare_on = [&](const TimeNetworks& time) {
        if (network) {
            const TableView view(table, network->graph, options.state.state());
            require_layers(view, network->name, remedy_for(options, table));
            return compare(view, *network, settings, time);
        }
        const ModelView view(table, model, options.state.state());
        require_layers(view, model.name, remedy_for(options, table));
        return compare(view, settings, time);
    };
    if (!options.measure) {
        notes.verified = verified_in(table, options.state.state());
        return compare_on({});
    }
    const DeviceAccess device = open_device(options.timing.device, options.timing.threads, session);
    check_same_device(table, device);
    Progress progress(session);
    records::ComparisonRecord record = compare_on(device_timer(
        device.handle, table, options.timing.settings(options.state.batch), progress.work_events()));
    device.handle.backend->rest();  // other runtimes have their turn next
    return record;
}

// Rows of a model with stages that was scaled as a graph get the models with stages that their choices are.
void add_stages(records::ComparisonRecord& record, const CompareOptions& options) {
    const ModelSpec model = keeping(find_model(options.model), options.keep);
    record.base.spec = to_yaml(model);
    record.base.model_hash = model_hash(model);
    for (records::StrategyRow& row : record.strategies) {
        if (!row.choice) {
            continue;
        }
        try {
            const ModelSpec chosen = stages_of(model, record, row, kept_by(options.keep));
            row.spec = to_yaml(chosen);
            row.model_hash = model_hash(chosen);
        } catch (const InputError& error) {
            row.reason += (row.reason.empty() ? "" : "; ") + std::string(error.what());
        }
    }
}

void print_answer(const records::ComparisonRecord& record, AnswerNotes notes, const CompareOptions& options,
                  Session& session) {
    if (options.details) {
        print_comparison(session.out, record);
        session.out << '\n';
    } else if (options.out.empty()) {
        notes.closing.emplace_back("every row: --details; the chosen network: --out FILE");
    }
    if (!options.out.empty()) {
        notes.closing.push_back("the chosen network: " + options.out);
    }
    print_lines(session.out, answer_lines({&record}, notes));
}

ExitStatus compare_command(const CompareOptions& options, Session& session) {
    const std::vector<OtherRuntime> runtimes = other_runtimes(options);
    const Subject subject = subject_of(options, session);
    const std::optional<KnownAccuracies> accuracies = known_accuracies(options);
    const std::optional<GivenAccuracies> given =
        options.accuracies.empty() ? std::nullopt : std::optional<GivenAccuracies>(options.accuracies);
    AnswerNotes notes;
    records::ComparisonRecord record = compared(options, subject.graph, notes, session);
    if (subject.graph && subject.has_stages) {
        add_stages(record, options);
    }
    if (!runtimes.empty()) {
        time_elsewhere(record, subject, options, runtimes, session);
    }
    if (accuracies) {
        add_accuracies(record, *accuracies, session);
    } else if (given) {
        add_accuracies(record, *given, session);
    }
    const auto remedy = [&] { return remedy_for(options, Table::open(options.table, OpenMode::read)); };
    if (const auto warning = peak_warning(record)) {
        session.warn(*warning, remedy().profile());
    }
    const std::optional<std::string> noise = noise_warning(record);
    if (noise) {
        session.warn(*noise, remedy().profile_noisy());
    }
    if (session.json) {
        session.out << to_json(record);
    } else {
        print_answer(record, std::move(notes), options, session);
    }
    write_last(record, subject, options, session);
    if (!options.networks.empty()) {
        records::make_record_folder(options.networks);
        write_all(record, subject, options, session);
    }
    if (interrupted()) {
        session.log.warn(
            "interrupted: strategies that were not timed are marked failed; run the command again");
    } else if (!options.training.plan.empty()) {
        write_plan({&record, 1}, options.training, session);
    }
    // What was measured now does not rest on the table; what is only predicted does.
    const bool complete = !has_gaps(record) && (options.measure || !noise);
    return status_with_doubts(complete ? ExitStatus::done : ExitStatus::incomplete, session);
}

std::shared_ptr<CompareOptions> declare_common(CLI::App& parser) {
    auto options = std::make_shared<CompareOptions>();
    parser.add_option("model", options->model, "A name of the zoo, or a YAML or ONNX file")->required();
    add_input_option(parser, options->inputs);
    parser.add_option("--table", options->table, "The table's file")->required();
    add_budget_option(parser, options->budget);
    add_keep_option(parser, options->keep);
    add_state_options(parser, options->state);
    add_space_options(parser, options->settings.space);
    add_inner_options(parser, options->settings.space);
    add_cap_options(parser, options->settings.caps);
    add_gain_option(parser, options->settings.gain_files);
    add_timing_options(parser, options->timing);
    add_details_option(parser, options->details);
    parser
        .add_option("--freeze", options->settings.graph.freeze,
                    "Of an ONNX file or --as-graph: layers that stay as they are, separated by commas")
        ->delimiter(',');
    parser.add_option("--group", options->limits,
                      "Of an ONNX file or --as-graph: NAME:MIN..MAX keeps a layer's channels within these; "
                      "may be given again");
    parser.add_option(
        "--out", options->out,
        "Write the network chosen by the last strategy, as YAML; of an ONNX file as one, with weights");
    parser.add_option("--weights", options->weights,
                      "Of a model with stages: a checkpoint or a safetensors file, which --out scales along");
    parser.add_flag("--as-graph", options->as_graph,
                    "Of a model with stages: choose each group of channels by itself, as of an ONNX file");
    parser.add_option("--channels", options->files.channels,
                      "Of an ONNX file or --as-graph: write the channels of each tensor and module as JSON");
    parser.add_option(
        "--scores", options->files.scores,
        "With weights: how much each channel matters, as JSON; else the norm of its weights says it");
    return options;
}

}  // namespace

Run declare_scale(CLI::App& parser) {
    auto options = declare_common(parser);
    options->settings.strategies = {"hacscale"};
    parser
        .add_option("--strategy", options->settings.strategies,
                    "The strategy; \"hacscale compare\" has them all")
        ->expected(1)
        ->capture_default_str();
    parser.add_flag(
        "--verify,!--no-verify", options->measure,
        "Measure the choice on the device, and correct it until it fits; by default it is predicted");
    return [options](Session& session) { return compare_command(*options, session); };
}

Run declare_compare(CLI::App& parser) {
    auto options = declare_common(parser);
    options->measure = true;
    parser
        .add_option("--strategies", options->settings.strategies, "Strategies, separated by commas; else all")
        ->delimiter(',');
    parser.add_flag("!--no-verify", options->measure, "Only predict, measure nothing");
    parser.add_option("--networks", options->networks,
                      "Folder: write the network of every strategy there, as --out does");
    parser.add_option(
        "--verify-on", options->other_runtimes,
        "Also time the choices on other devices, as onnxruntime@cpu,openvino@cpu; or NAME=COMMAND: "
        "by a command that is given an ONNX file; may be given again");
    TrainingPlanRequest& training = options->training;
    CLI::Option* train = add_plan_options(parser, training);
    CLI::Option* record = parser.add_option(
        "--record", training.record, "Accuracy records to show; with --train, what the plan's runs enter");
    parser.add_option("--recipe", training.recipe, "Recipe of the accuracies: a name or a YAML file")
        ->capture_default_str();
    parser
        .add_option("--accuracies", options->accuracies,
                    "Accuracies of your own training to show instead: CSV or JSON")
        ->excludes(train)
        ->excludes(record);
    return [options](Session& session) { return compare_command(*options, session); };
}

}  // namespace hacscale::cli
