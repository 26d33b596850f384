// `hacscale scale` and `hacscale compare`: a network scaled to a latency budget by one strategy or by all of
// them. Both are one command with other defaults, so they share their options and their answer.
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
#include "cli/session.hpp"
#include "harness/compare/accuracies.hpp"
#include "harness/compare/answer.hpp"
#include "harness/compare/choice_files.hpp"
#include "harness/compare/compare.hpp"
#include "harness/compare/elsewhere.hpp"
#include "harness/compare/given_accuracies.hpp"
#include "harness/compare/stage_files.hpp"
#include "harness/measure/device_access.hpp"
#include "harness/measure/remedy.hpp"
#include "models/formats/formats.hpp"
#include "models/graph/graph_values.hpp"
#include "models/zoo/zoo.hpp"
#include "records/record_file.hpp"
#include "training/stage_weights.hpp"

namespace hacscale::cli {

namespace {

struct CompareOptions {
    std::string model;
    std::string table;
    std::string budget = "1";
    std::string keep;  // empty: as the model has it
    InputOptions inputs;
    std::vector<std::string> limits;  // NAME:MIN..MAX
    std::string out;
    std::string weights;   // of a model with stages
    std::string networks;  // folder for the network of every strategy
    bool as_graph = false;
    ChoiceFiles files;
    bool measure = false;
    bool details = false;
    StateOptions state;
    TimingOptions timing;
    ComparisonSettings settings;
    TrainingPlanRequest training;             // its plan is empty where none is wanted
    std::string accuracies;                   // of the user's own training
    std::vector<std::string> other_runtimes;  // NAME=COMMAND
};

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

// The network under test, besides its name or file.
struct Subject {
    std::optional<Network> graph;     // what is scaled as a graph
    std::optional<StageBase> stages;  // a model with stages that comes with weights
    bool has_stages = false;
};

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
    return compare_on(device_timer(device.handle, table, options.timing.settings(options.state.batch),
                                   progress.work_events()));
}

void check_options_of_files(const CompareOptions& options) {
    if (!options.out.empty() && !is_onnx_file(options.out)) {
        throw InputError(fmt::format(
            "--out {}: what is chosen of an ONNX file is one, too; end its name in .onnx", options.out));
    }
    if (!options.training.plan.empty()) {
        throw InputError("--train is for models with stages: train what --out writes in your own program");
    }
    if (!options.weights.empty() || options.as_graph) {
        throw InputError(fmt::format(
            "{} has weights of its own and is a graph; --weights and --as-graph are for models with stages",
            options.model));
    }
}

void check_options_of_stages(const CompareOptions& options) {
    const bool of_groups =
        !options.limits.empty() || !options.settings.graph.freeze.empty() || !options.files.channels.empty();
    if (!options.inputs.given.empty() || (of_groups && !options.as_graph)) {
        throw InputError(
            "--input is for ONNX files; --freeze, --group and --channels are for these and for --as-graph");
    }
    if (options.weights.empty() && !options.files.scores.empty()) {
        throw InputError("--scores is for ONNX files, and for models with stages that have --weights");
    }
    if (options.weights.empty() && !options.files.channels.empty()) {
        throw InputError("--channels needs the weights by which channels are kept; give --weights");
    }
    if (options.weights.empty() && is_onnx_file(options.out)) {
        throw InputError(fmt::format(
            "--out {}: without --weights, what is chosen of a model with stages is YAML, which \"hacscale "
            "models export\" writes as ONNX; end its name in .yaml",
            options.out));
    }
    // libtorch's OpenMP would pin threads before those of the backend find their cores.
    if (options.measure && is_checkpoint(options.weights)) {
        throw InputError(
            fmt::format("--weights {}: a checkpoint is not read where networks are timed, for libtorch would "
                        "take part in it; write "
                        "its weights first, by hacscale export-weights {} --checkpoint {} --batch-norms "
                        "--out NAME.safetensors",
                        options.weights, options.model, options.weights));
    }
    if (options.as_graph && !options.training.plan.empty()) {
        throw InputError(
            "--train plans what was chosen by stages; with --as-graph, --networks writes each network");
    }
}

// Throws InputError for options of the other kind of network.
Subject subject_of(const CompareOptions& options, Session& session) {
    Subject subject;
    if (is_onnx_file(options.model)) {
        check_options_of_files(options);
        subject.graph = network_named(options.model, options.inputs, session);
        return subject;
    }
    check_options_of_stages(options);
    subject.has_stages = true;
    const ModelSpec model = keeping(find_model(options.model), options.keep);
    if (!options.weights.empty()) {
        subject.stages = stage_base(model, options.weights);
    }
    if (options.as_graph) {
        subject.graph = subject.stages ? subject.stages->network : network_of(model);
    }
    return subject;
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

constexpr std::size_t message_indent = 6;  // "info: "

void tell(const std::vector<std::string>& lines, Session& session) {
    for (const std::string& line : lines) {
        session.log.info("{}",
                         fmt::join(wrapped(line, message_indent, answer_columns - message_indent), "\n"));
    }
}

// The network of one row, as the file's name says. Of a model with stages that has no weights, its YAML alone.
void write_row(const records::ComparisonRecord& record, const records::StrategyRow& row,
               const Subject& subject, const ChoiceFiles& files, Session& session) {
    if (subject.stages && !files.onnx.empty()) {
        tell(write_stage_choice(*subject.stages, record, row, files.onnx,
                                {.scores = files.scores,
                                 .opset = files.opset,
                                 .grouped_convs = files.group_rules.grouped_convs}),
             session);
    } else if (subject.has_stages && !files.onnx.empty()) {
        if (!row.choice) {
            throw WorkError(files.onnx.string() + " is not written: " + row.strategy +
                            " found no network within the budget: " + row.reason);
        }
        records::write_record(files.onnx, row.spec);
    }
    ChoiceFiles rest = files;
    if (subject.has_stages) {
        rest.onnx.clear();
    }
    if (subject.graph && rest.any()) {
        tell(write_choice(*subject.graph, record, row, rest), session);
    }
}

// What the last strategy chose, which is HACScale's own where it was among them.
void write_last(const records::ComparisonRecord& record, const Subject& subject,
                const CompareOptions& options, Session& session) {
    ChoiceFiles files = options.files;
    files.onnx = options.out;
    files.group_rules.grouped_convs = kept_by(options.keep);
    write_row(record, record.strategies.back(), subject, files, session);
}

// What every strategy chose, each by its own scores.
void write_all(const records::ComparisonRecord& record, const Subject& subject, const CompareOptions& options,
               Session& session) {
    const std::string model = subject.graph ? subject.graph->name : record.model;
    for (const records::StrategyRow& row : record.strategies) {
        if (!row.choice || (subject.has_stages && row.spec.empty())) {
            continue;
        }
        ChoiceFiles files;
        files.onnx = std::filesystem::path(options.networks) /
                     (scaled_name(model, row.strategy, record.budget_in_names()) +
                      (subject.has_stages ? ".yaml" : ".onnx"));
        files.group_rules.grouped_convs = kept_by(options.keep);
        if (row.strategy != "l1-pruning") {
            files.scores = options.files.scores;
        }
        write_row(record, row, subject, files, session);
    }
}

void write_plan(const records::ComparisonRecord& record, const CompareOptions& options, Session& session) {
    const std::string file = options.training.plan.string();
    const WrittenPlan written = write_training_plan(record, options.training);
    session.log.info("{}: {} networks x {} seeds, trained by\n{}", file, written.networks,
                     options.training.seeds.size(),
                     fmt::join(ShellCommand{{"hacscale", "train", "--plan", file}}.lines(), "\n"));
    if (!written.left_out.empty()) {
        session.log.info("{}: nothing to train of {}", file, fmt::join(written.left_out, ", "));
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

std::vector<OtherRuntime> other_runtimes(const CompareOptions& options) {
    std::vector<OtherRuntime> runtimes;
    for (const std::string& text : options.other_runtimes) {
        runtimes.push_back(parse_other_runtime(text));
        const auto same = [&](const OtherRuntime& one) { return one.name == runtimes.back().name; };
        if (std::count_if(runtimes.begin(), runtimes.end(), same) > 1) {
            throw InputError(fmt::format("--verify-on names {} twice", runtimes.back().name));
        }
    }
    return runtimes;
}

// In each of the other runtimes, the base and every choice; with random weights where there are none.
void time_elsewhere(records::ComparisonRecord& record, const Subject& subject, const CompareOptions& options,
                    const std::vector<OtherRuntime>& runtimes, Session& session) {
    const auto with_weights = [](Network network) {
        if (network.weights.empty()) {
            network.weights = random_weights(network.graph, 0);
        }
        return network;
    };
    const auto network_of_row = [&](const records::StrategyRow& row) {
        if (!subject.graph) {
            return with_weights(network_of(parse_model(row.spec, row.strategy)));
        }
        const Network base = with_weights(*subject.graph);
        return &row == &record.base ? base
                                    : chosen_network(base, record, row, options.files.scores,
                                                     {.grouped_convs = kept_by(options.keep)});
    };
    const OtherTimingSettings settings{record.batch, options.timing.threads, options.timing.seconds};
    add_elsewhere(
        record, runtimes, network_of_row,
        [&](const OtherRuntime& runtime, const std::filesystem::path& file) {
            return time_by_command(runtime, file, settings);
        },
        session);
    for (const records::OtherLatency& other : record.base.elsewhere) {
        if (!other.latency_us) {
            session.warn(fmt::format("{} did not time the base: {}", other.runtime, other.reason));
        }
    }
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
        write_plan(record, options, session);
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
    parser.add_option("--verify-on", options->other_runtimes,
                      "NAME=COMMAND: also time the choices by a command that is given an ONNX file; may be "
                      "given again");
    TrainingPlanRequest& training = options->training;
    CLI::Option* train = parser.add_option("--train", training.plan,
                                           "Write a training plan for the networks compared, as YAML");
    CLI::Option* record = parser.add_option(
        "--record", training.record, "Accuracy records to show; with --train, what the plan's runs enter");
    parser.add_option("--recipe", training.recipe, "Recipe of the accuracies: a name or a YAML file")
        ->capture_default_str();
    parser.add_option("--seeds", training.seeds, "Seeds of the plan, separated by commas")
        ->delimiter(',')
        ->needs(train)
        ->capture_default_str();
    parser.add_option("--checkpoints", training.checkpoints, "The plan's folder for checkpoints")
        ->needs(train);
    parser
        .add_option("--accuracies", options->accuracies,
                    "Accuracies of your own training to show instead: CSV or JSON")
        ->excludes(train)
        ->excludes(record);
    return [options](Session& session) { return compare_command(*options, session); };
}

}  // namespace hacscale::cli
