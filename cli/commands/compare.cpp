// `hacscale scale` and `hacscale compare`: a network scaled to a latency budget by one strategy or by all of
// them. Both are one command with other defaults, so they share their options and their answer.
#include <fmt/ranges.h>
#include <spdlog/logger.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/text/lines.hpp"
#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/printing/printing.hpp"
#include "cli/session.hpp"
#include "harness/compare/accuracies.hpp"
#include "harness/compare/answer.hpp"
#include "harness/compare/compare.hpp"
#include "harness/compare/given_accuracies.hpp"
#include "harness/measure/device_access.hpp"
#include "harness/measure/remedy.hpp"
#include "models/zoo/zoo.hpp"
#include "records/record_file.hpp"

namespace hacscale::cli {

namespace {

struct CompareOptions {
    std::string model;
    std::string table;
    std::string budget = "1";
    std::string out;
    bool measure = false;
    bool details = false;
    StateOptions state;
    TimingOptions timing;
    ComparisonSettings settings;
    TrainingPlanRequest training;  // its plan is empty where none is wanted
    std::string accuracies;        // of the user's own training
};

// Opened before anything is measured, so that a file that is none is found at once.
std::optional<KnownAccuracies> known_accuracies(const CompareOptions& options) {
    const bool planned = !options.training.plan.empty();
    if (planned) {
        check(options.training);
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

records::ComparisonRecord compared(const CompareOptions& options, AnswerNotes& notes, Session& session) {
    ComparisonSettings settings = options.settings;
    settings.budget = parse_budget(options.budget);
    const ModelSpec model = find_model(options.model);
    settings.fixed = planned_choices(options.training, model.name, settings.budget);
    const Table table = Table::open(options.table, OpenMode::read);
    const ModelView view(table, model, options.state.state());
    if (!options.measure) {
        notes.verified = verified_in(table, view.state());
        return compare(view, settings, {});
    }
    const DeviceAccess device = open_device(options.timing.device, options.timing.threads, session);
    check_same_device(table, device);
    Progress progress(session);
    return compare(view, settings,
                   device_timer(device.handle, table, options.timing.settings(options.state.batch),
                                progress.work_events()));
}

// The YAML of what the last strategy chose, which is HACScale's own where it was among them.
void write_choice(const records::ComparisonRecord& record, const std::string& file) {
    const records::StrategyRow& row = record.strategies.back();
    if (!row.choice) {
        throw WorkError(file + " is not written: " + row.strategy +
                        " found no network within the budget: " + row.reason);
    }
    records::write_record(file, row.spec);
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

ExitStatus compare_command(const CompareOptions& options, Session& session) {
    const std::optional<KnownAccuracies> accuracies = known_accuracies(options);
    const std::optional<GivenAccuracies> given =
        options.accuracies.empty() ? std::nullopt : std::optional<GivenAccuracies>(options.accuracies);
    AnswerNotes notes;
    records::ComparisonRecord record = compared(options, notes, session);
    if (accuracies) {
        add_accuracies(record, *accuracies, session);
    } else if (given) {
        add_accuracies(record, *given, session);
    }
    const auto remedy = [&] {
        return Remedy{{options.model},
                      options.table,
                      Table::open(options.table, OpenMode::read).device(),
                      options.state.state()};
    };
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
    if (!options.out.empty()) {
        write_choice(record, options.out);
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
    parser.add_option("model", options->model, "A name of the zoo, or a YAML file")->required();
    parser.add_option("--table", options->table, "The table's file")->required();
    add_budget_option(parser, options->budget);
    add_state_options(parser, options->state);
    add_space_options(parser, options->settings.space);
    add_inner_options(parser, options->settings.space);
    add_cap_options(parser, options->settings.caps);
    parser
        .add_option("--gain", options->settings.gain_files,
                    "Sensitivity or importance file, or one of each; else capacity is the gain")
        ->delimiter(',');
    add_timing_options(parser, options->timing);
    add_details_option(parser, options->details);
    parser.add_option("--out", options->out, "Write the network chosen by the last strategy as YAML");
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
