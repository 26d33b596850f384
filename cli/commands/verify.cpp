#include "cli/commands/verify.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/measuring/device_access.hpp"
#include "cli/measuring/device_timer.hpp"
#include "cli/measuring/verify_models.hpp"
#include "cli/options.hpp"
#include "cli/records/throughput_json.hpp"
#include "cli/text_table.hpp"
#include "models/zoo.hpp"

namespace hacscale::cli {

namespace {

struct VerifyOptions {
    std::vector<std::string> models;
    bool all = false;
    std::string table;
    StateOptions state;
    TimingOptions timing;
};

// "resnet18: 812.3 images/s; p95 9940.1 us, p99 10121.0 us of 312 passes"
std::string throughput_line(const VerifiedModel& model) {
    const UpperPercentiles& upper = model.upper;
    std::string line = fmt::format("{}: {:.1f} images/s", model.record.model,
                                   images_per_s(model.record.batch, model.record.measured_us));
    if (upper.p95) {
        line += fmt::format("; p95 {:.1f} us", *upper.p95);
    }
    if (upper.p99) {
        return line + fmt::format(", p99 {:.1f} us of {} passes", *upper.p99, upper.samples);
    }
    return line + "; " + upper.reason;
}

void print_report(std::ostream& out, const VerificationReport& report) {
    TextTable table({{"model", Align::left},
                     {"batch"},
                     {"dtype"},
                     {"predicted us"},
                     {"measured us"},
                     {"+- us"},
                     {"error %"}});
    for (const VerifiedModel& one : report.models) {
        table.add({one.record.model, std::to_string(one.record.batch), std::string(name_of(one.record.type)),
                   fmt::format("{:.1f}", one.record.predicted_us),
                   fmt::format("{:.1f}", one.record.measured_us), fmt::format("{:.1f}", one.record.ci95_us),
                   fmt::format("{:+.1f}", error_pct(one.record))});
    }
    table.print(out);
    for (const VerifiedModel& one : report.models) {
        if (one.record.batch > 1) {
            out << throughput_line(one) << '\n';
        }
    }
    for (const SkippedModel& one : report.skipped) {
        out << one.model << ": skipped: " << one.reason << '\n';
    }
}

std::vector<ModelToVerify> models_of(const VerifyOptions& options) {
    std::vector<ModelToVerify> models;
    for (const std::string& name : options.all ? zoo_names() : options.models) {
        models.push_back({find_model(name), "zoo"});
    }
    if (models.empty()) {
        throw InputError("a network is needed: its name or file, or --all for the zoo");
    }
    return models;
}

ExitStatus verify_command(const VerifyOptions& options, Session& session) {
    const std::vector<ModelToVerify> models = models_of(options);
    const MeasuredState state = options.state.state();
    Table table = Table::open(options.table, OpenMode::write);
    const DeviceAccess device = open_device(options.timing.device, options.timing.threads, session);
    check_same_device(table, device);
    Progress progress(session.err, session.progress);
    MeasureSettings settings = options.timing.settings(options.state.batch);
    // A narrow interval of the median is not enough here, as long as there is time.
    settings.rules.fewest_samples = static_cast<int>(fewest_for_p99);
    const VerifyOutcome outcome = verify_models(
        table, models, state, device_timer(device.handle, table, settings, work_events(progress)));
    for (const VerifiedModel& one : outcome.report.models) {
        table.put(one.record);
    }
    if (session.json) {
        session.out << to_json(outcome.report);
    } else {
        print_report(session.out, outcome.report);
    }
    return outcome.report.skipped.empty() && outcome.noisy == 0 ? ExitStatus::done : ExitStatus::incomplete;
}

}  // namespace

Run declare_verify(CLI::App& parser) {
    auto options = std::make_shared<VerifyOptions>();
    parser.add_option("models", options->models, "Names of the zoo, or YAML files");
    parser.add_flag("--all", options->all, "Every network of the zoo");
    parser.add_option("--table", options->table, "The table's file")->required();
    add_state_options(parser, options->state);
    add_timing_options(parser, options->timing);
    return [options](Session& session) { return verify_command(*options, session); };
}

}  // namespace hacscale::cli
