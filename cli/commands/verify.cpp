// `hacscale verify`: whole networks measured on the device beside the table's prediction of them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <memory>

#include "base/text/lines.hpp"
#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/printing/printing.hpp"
#include "harness/events.hpp"
#include "harness/measure/device_access.hpp"
#include "harness/measure/remedy.hpp"
#include "harness/measure/verify_models.hpp"
#include "models/zoo/zoo.hpp"
#include "profiler/timing/statistics.hpp"
#include "records/verification.hpp"

namespace hacscale::cli {

namespace {

constexpr std::size_t models_in_answer = 10;
constexpr std::size_t worst_in_answer = 5;    // of more networks than that
constexpr std::size_t skipped_in_answer = 1;  // its reason may take several lines

struct VerifyOptions {
    std::vector<std::string> models;
    bool all = false;
    bool details = false;
    std::string table;
    StateOptions state;
    TimingOptions timing;
};

void print_models(std::ostream& out, const std::vector<records::VerifiedModel>& models) {
    TextTable table({{"model", Align::left},
                     {"batch"},
                     {"dtype"},
                     {"predicted us"},
                     {"measured us"},
                     {"+- us"},
                     {"error %"}});
    for (const records::VerifiedModel& one : models) {
        table.add({one.record.model, std::to_string(one.record.batch), std::string(name_of(one.record.type)),
                   fmt::format("{:.1f}", one.record.predicted_us),
                   fmt::format("{:.1f}", one.record.measured_us), fmt::format("{:.1f}", one.record.ci95_us),
                   fmt::format("{:+.1f}", records::error_pct(one.record))});
    }
    table.print(out);
    print_lines(out, records::throughput_lines(models));
}

void print_skipped(std::ostream& out, const std::vector<records::SkippedModel>& skipped,
                   std::size_t at_most) {
    for (std::size_t i = 0; i < std::min(skipped.size(), at_most); ++i) {
        print_lines(out, wrapped(skipped[i].model + ": skipped: " + skipped[i].reason, 2));
    }
    if (skipped.size() > at_most) {
        out << fmt::format("{} more were skipped: --details\n", skipped.size() - at_most);
    }
}

// How far the table can be trusted, in a sentence.
void print_summary(std::ostream& out, const std::vector<records::VerifiedModel>& models) {
    if (models.empty()) {
        return;
    }
    std::vector<double> errors;
    for (const records::VerifiedModel& one : models) {
        errors.push_back(std::abs(records::error_pct(one.record)));
    }
    const auto worst = std::max_element(errors.begin(), errors.end());
    print_lines(
        out,
        wrapped(fmt::format("the table's sums are {:.1f} % off in the median of {}, {:.1f} % at worst ({})",
                            quantile(errors, 0.5), counted(models.size(), "network"), *worst,
                            models[static_cast<std::size_t>(worst - errors.begin())].record.model),
                2));
}

// A few networks whole; of many, those that are off most.
void print_report(std::ostream& out, const records::VerificationReport& report, bool details) {
    std::vector<records::VerifiedModel> models = report.models;
    if (details) {
        print_models(out, models);
        print_skipped(out, report.skipped, report.skipped.size());
        print_summary(out, models);
        return;
    }
    const bool all_fit = models.size() <= models_in_answer;
    if (!all_fit) {
        std::stable_sort(models.begin(), models.end(),
                         [](const records::VerifiedModel& a, const records::VerifiedModel& b) {
                             return std::abs(records::error_pct(a.record)) >
                                    std::abs(records::error_pct(b.record));
                         });
        models.resize(worst_in_answer);
        out << fmt::format("the {} that are off most:\n", worst_in_answer);
    }
    print_models(out, models);
    print_skipped(out, report.skipped, skipped_in_answer);
    print_summary(out, report.models);
    if (!all_fit) {
        out << "every network: --details\n";
    }
}

std::vector<ModelToVerify> models_of(const VerifyOptions& options) {
    std::vector<ModelToVerify> models;
    for (const std::string& name : options.all ? zoo_names() : options.models) {
        models.push_back({find_network(name), "zoo"});
    }
    if (models.empty()) {
        throw InputError("a network is needed: its name or file, or --all for the zoo");
    }
    return models;
}

// Measures the layers that skipped networks need. A name or file is given as the user named it.
ShellCommand command_for(const std::vector<records::SkippedModel>& skipped, const VerifyOptions& options,
                         const Table& table) {
    std::vector<std::string> lacking;
    for (const std::string& name : options.all ? zoo_names() : options.models) {
        const std::string model = find_model(name).name;
        if (std::any_of(skipped.begin(), skipped.end(),
                        [&model](const records::SkippedModel& one) { return one.model == model; })) {
            lacking.push_back(name);
        }
    }
    return Remedy{lacking, options.table, table.device(), options.state.state()}.profile({"--own-layers"});
}

ExitStatus verify_command(const VerifyOptions& options, Session& session) {
    std::vector<ModelToVerify> models = models_of(options);
    const MeasuredState state = options.state.state();
    Table table = Table::open(options.table, OpenMode::write);
    const DeviceAccess device = open_device(options.timing.device, options.timing.threads, session);
    check_same_device(table, device);
    Progress progress(session);
    MeasureSettings settings = options.timing.settings(options.state.batch);
    // A narrow interval of the median is not enough here, as long as there is time.
    settings.rules.min_samples = static_cast<int>(min_for_p99);
    const VerifyOutcome outcome =
        verify_models(table, std::move(models), state,
                      device_timer(device.handle, table, settings, progress.work_events()), session);
    for (const records::VerifiedModel& one : outcome.report.models) {
        table.put(one.record);
    }
    if (!outcome.report.skipped.empty()) {
        session.warn("what the table lacks is measured by:",
                     command_for(outcome.report.skipped, options, table));
    }
    if (session.json) {
        session.out << to_json(outcome.report);
    } else {
        print_report(session.out, outcome.report, options.details);
    }
    const bool complete = outcome.report.skipped.empty() && outcome.noisy == 0;
    return status_with_doubts(complete ? ExitStatus::done : ExitStatus::incomplete, session);
}

}  // namespace

Run declare_verify(CLI::App& parser) {
    auto options = std::make_shared<VerifyOptions>();
    parser.add_option("models", options->models, "Names of the zoo, or YAML files");
    parser.add_flag("--all", options->all, "Every network of the zoo");
    parser.add_option("--table", options->table, "The table's file")->required();
    add_details_option(parser, options->details);
    add_state_options(parser, options->state);
    add_timing_options(parser, options->timing);
    return [options](Session& session) { return verify_command(*options, session); };
}

}  // namespace hacscale::cli
