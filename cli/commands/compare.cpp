#include "cli/commands/compare.hpp"

#include <memory>

#include "cli/comparison/compare.hpp"
#include "cli/comparison/comparison_text.hpp"
#include "cli/interrupt.hpp"
#include "cli/measuring/device_access.hpp"
#include "cli/measuring/device_timer.hpp"
#include "cli/options.hpp"
#include "cli/records/record_file.hpp"
#include "models/zoo.hpp"

namespace hacscale::cli {

namespace {

struct CompareOptions {
    std::string model;
    std::string table;
    std::string out;
    std::string gain_file;
    bool measure = false;
    StateOptions state;
    TimingOptions timing;
    ComparisonSettings settings;
};

ComparisonRecord compared(const CompareOptions& options, Session& session) {
    ComparisonSettings settings = options.settings;
    if (!options.gain_file.empty()) {
        settings.gain_file = options.gain_file;
    }
    const ModelSpec model = find_model(options.model);
    const Table table = Table::open(options.table, OpenMode::read);
    const TableView view(table, model, options.state.state());
    if (!options.measure) {
        return compare(view, settings, {});
    }
    const DeviceAccess device = open_device(options.timing.device, options.timing.threads, session);
    check_same_device(table, device);
    Progress progress(session.err, session.progress);
    return compare(
        view, settings,
        device_timer(device.handle, options.timing.settings(options.state.batch), work_events(progress)));
}

// The YAML of what the last strategy chose, which is HACScale's own where it was among them.
void write_choice(const ComparisonRecord& record, const std::string& file) {
    const StrategyRow& row = record.strategies.back();
    if (!row.choice) {
        throw WorkError(file + " is not written: " + row.strategy +
                        " found no network within the budget: " + row.reason);
    }
    write_record(file, row.spec);
}

ExitStatus compare_command(const CompareOptions& options, Session& session) {
    const ComparisonRecord record = compared(options, session);
    if (session.json) {
        session.out << to_json(record);
    } else {
        print_comparison(session.out, record);
    }
    if (!options.out.empty()) {
        write_choice(record, options.out);
    }
    if (interrupted()) {
        session.log.warn(
            "interrupted: strategies that were not timed are marked failed; run the command again");
    }
    return has_gaps(record) ? ExitStatus::incomplete : ExitStatus::done;
}

std::shared_ptr<CompareOptions> declare_common(CLI::App& parser) {
    auto options = std::make_shared<CompareOptions>();
    parser.add_option("model", options->model, "A name of the zoo, or a YAML file")->required();
    parser.add_option("--table", options->table, "The table's file")->required();
    parser.add_option("--budget", options->settings.budget, "Latency allowed, over the base's; at least 1")
        ->capture_default_str();
    add_state_options(parser, options->state);
    add_space_options(parser, options->settings.space);
    add_cap_options(parser, options->settings.caps);
    parser.add_option("--gain", options->gain_file,
                      "Sensitivity or importance file; else capacity is the gain");
    add_timing_options(parser, options->timing);
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
    parser.add_flag("--verify", options->measure,
                    "Measure the choice on the device, and correct it until it fits");
    return [options](Session& session) { return compare_command(*options, session); };
}

Run declare_compare(CLI::App& parser) {
    auto options = declare_common(parser);
    options->measure = true;
    parser
        .add_option("--strategies", options->settings.strategies, "Strategies, separated by commas; else all")
        ->delimiter(',');
    parser.add_flag("!--no-verify", options->measure, "Only predict, measure nothing");
    return [options](Session& session) { return compare_command(*options, session); };
}

}  // namespace hacscale::cli
