// `hacscale run SUITE`: a whole suite with one command.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/text/lines.hpp"
#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/printing/printing.hpp"
#include "cli/restart.hpp"
#include "harness/suite/dry_run.hpp"
#include "harness/suite/layout.hpp"
#include "harness/suite/run_suite.hpp"

namespace hacscale::cli {

namespace {

struct RunOptions {
    std::string suite;
    std::string out;
    std::string shard;
    std::optional<double> minutes;
    bool dry_run = false;
    bool details = false;
    CounterSettings counters;
};

void print_device(std::ostream& out, const PlannedDevice& planned) {
    out << fmt::format("\n{}: {}, {} rows\n", planned.id, planned.table.string(),
                       with_separators(planned.rows));
    if (!planned.absence.empty()) {
        out << planned.absence << '\n';
    }
    for (const PlannedState& state : planned.states) {
        if (!state.unsupported_reason.empty()) {
            out << fmt::format("\n{}: not on this device: {}\n", harness::name_of(state.state),
                               state.unsupported_reason);
            continue;
        }
        out << fmt::format("\n{}: {} comparisons, {} of them finished, at most {}\n",
                           harness::name_of(state.state), state.comparisons, state.comparisons_known,
                           duration_text(state.seconds_at_most));
        TextTable table({{"network", Align::left},
                         {"widths", Align::left},
                         {"rows known", Align::right},
                         {"rows new", Align::right},
                         {"at most", Align::right}});
        for (const PlannedUnit& one : state.units) {
            table.add({one.network, one.unit.swept ? "all" : "own", with_separators(one.known),
                       with_separators(one.fresh), duration_text(one.unit.seconds_at_most)});
        }
        table.print(out);
    }
}

void print_forecast(std::ostream& out, const SuiteForecast& forecast, const Suite& suite,
                    const std::optional<Shard>& shard) {
    out << fmt::format("{}{}: nothing is measured now\n", suite.name,
                       shard ? ", shard " + name_of(*shard) : "");
    for (const PlannedDevice& device : forecast.devices) {
        print_device(out, device);
    }
    const bool known = std::any_of(forecast.devices.begin(), forecast.devices.end(),
                                   [](const PlannedDevice& device) { return device.rows > 0; });
    out << fmt::format(
        "\nall of it: at most {}{}\n", duration_text(forecast.seconds_at_most),
        known ? ", by what the tables say about " + duration_text(forecast.seconds_expected) : "");
}

void print_details(std::ostream& out, const SuiteOutcome& outcome, const Suite& suite, bool is_shard) {
    for (const FinishedRun& run : outcome.runs) {
        if (has_several_folders(suite) && !run.result.comparisons.empty()) {
            out << fmt::format("{} {}\n", run.device, harness::name_of(run.state));
        }
        for (const records::ComparisonRecord& record : run.result.comparisons) {
            print_comparison(out, record);
            out << '\n';
        }
    }
    for (const std::filesystem::path& file : is_shard ? outcome.tables : outcome.files) {
        out << file.string() << '\n';
    }
}

ExitStatus run_command(const RunOptions& options, const Suite& suite, const std::filesystem::path& folder,
                       const std::optional<Shard>& shard, bool retry_failed, Session& session) {
    const SuiteOutcome outcome =
        run_suite(suite, folder, {options.counters, shard, retry_failed, session.command_line}, session);
    if (outcome.stopped) {
        return ExitStatus::incomplete;
    }
    if (session.json) {
        session.out << to_json(outcome, suite, shard);
    } else {
        if (options.details) {
            print_details(session.out, outcome, suite, shard.has_value());
        }
        print_lines(session.out, answer_lines(outcome, shard));
    }
    return outcome.complete ? ExitStatus::done : ExitStatus::incomplete;
}

}  // namespace

Run declare_run(CLI::App& parser) {
    auto options = std::make_shared<RunOptions>();
    parser.add_option("suite", options->suite, "A suite that comes with the program, or a YAML file")
        ->required();
    parser.add_option("--out", options->out, "Folder for records and report; else out/ and the suite's name");
    parser.add_option("--shard", options->shard, "I/N: measure only this part, into a folder of its own");
    parser
        .add_option("--minutes", options->minutes,
                    "For the whole run, at most; else the suite's total_minutes")
        ->check(CLI::PositiveNumber);
    parser.add_flag("--dry-run", options->dry_run, "Say what would be measured and how long it may take");
    add_details_option(parser, options->details);
    add_counter_options(parser, options->counters);
    return [options](Session& session) {
        Suite suite = load_suite(find_suite(options->suite));
        suite.total_minutes = options->minutes.value_or(suite.total_minutes);
        const std::filesystem::path folder = options->out.empty() ? std::filesystem::path("out") / suite.name
                                                                  : std::filesystem::path(options->out);
        const std::optional<Shard> shard =
            options->shard.empty() ? std::nullopt : std::optional(parse_shard(options->shard));
        if (options->dry_run) {
            const SuiteForecast forecast = dry_run(suite, folder, shard);
            if (session.json) {
                session.out << to_json(forecast, suite, folder, shard);
            } else {
                print_forecast(session.out, forecast, suite, shard);
            }
            return ExitStatus::done;
        }
        return surviving_lost_devices(session, [&](bool retry_failed) {
            return run_command(*options, suite, folder, shard, retry_failed, session);
        });
    };
}

}  // namespace hacscale::cli
