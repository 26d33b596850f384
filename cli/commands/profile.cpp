// `hacscale profile`: measures a network's layers, at its own and other widths, into a table.
#include <fmt/format.h>
#include <spdlog/logger.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <memory>
#include <set>

#include "base/text/lines.hpp"
#include "base/text/numbers.hpp"
#include "cli/commands.hpp"
#include "cli/network_options.hpp"
#include "cli/options.hpp"
#include "cli/printing/printing.hpp"
#include "cli/restart.hpp"
#include "harness/measure/device_access.hpp"
#include "harness/measure/profile_models.hpp"
#include "models/zoo/zoo.hpp"
#include "profiler/timing/statistics.hpp"
#include "records/json.hpp"
#include "records/record_file.hpp"
#include "records/verification.hpp"

namespace hacscale::cli {

namespace {

constexpr std::size_t swept_in_answer = 8;

struct ProfileOptions {
    std::vector<std::string> models;
    InputOptions inputs;
    bool all = false;
    std::string table;
    BatchOptions batch;
    std::vector<std::string> caches{"network"};
    TimingOptions timing;
    SpaceSettings space;
    SweepSettings sweep;
    double minutes = 10.0;
    bool own_layers = false;
    int nearby_widths = 0;
    std::string widths;  // "0.5..1"; empty: only the networks' own
    std::string rows{name_of(RowMethod::stopwatch)};
    bool remeasure_noisy = false;
    bool details = false;
    CounterSettings counters;
};

// "0.5..1", of the networks' own widths.
GraphWidths widths_named(const std::string& text, int grid) {
    const std::size_t dots = text.find("..");
    const auto min_ratio = finite_number(text.substr(0, dots));
    const auto max_ratio = dots == std::string::npos ? std::nullopt : finite_number(text.substr(dots + 2));
    if (!min_ratio || !max_ratio) {
        throw InputError(fmt::format(
            "--widths is \"{}\", expected two ratios of a network's own widths, as in 0.5..1", text));
    }
    return {.min_ratio = *min_ratio, .max_ratio = *max_ratio, .grid = grid};
}

// Networks without stages are not swept unless other widths are asked for.
ProfileJob plan_of(const ProfileOptions& options, Session& session) {
    ProfileJob plan;
    for (const std::string& name : options.all ? zoo_names() : options.models) {
        if (options.own_layers || is_onnx_file(name) || !options.inputs.given.empty()) {
            plan.own_layers.push_back(network_named(name, options.inputs, session));
        } else {
            plan.swept.push_back(find_model(name));
        }
    }
    if (plan.own_layers.empty() && plan.swept.empty()) {
        throw InputError("a network is needed: its name or file, or --all for the zoo");
    }
    plan.spaces.assign(plan.swept.size(), options.space);
    plan.measure = options.timing.settings(options.batch);
    plan.measure.rows = row_method_from_name(options.rows);
    plan.caches.clear();
    for (const std::string& cache : options.caches) {
        plan.caches.insert(cache_state_from_name(cache));
    }
    if (options.nearby_widths > 0 && plan.own_layers.empty()) {
        throw InputError(
            "--nearby-widths is for ONNX files and with --own-layers: scaling sweeps widths together");
    }
    if (!options.widths.empty()) {
        if (plan.own_layers.empty()) {
            throw InputError(
                "--widths is for ONNX files and with --own-layers: of networks with stages, "
                "--min-width-ratio and --max-width-ratio say it");
        }
        plan.graph_widths = widths_named(options.widths, options.space.grid);
    }
    const bool other_widths = options.nearby_widths > 0 || plan.graph_widths;
    if ((!plan.swept.empty() || other_widths) && !plan.caches.contains(CacheState::network)) {
        throw InputError(
            "other widths are measured in the cache state network only: add it to --cache, or give "
            "--own-layers without --nearby-widths and --widths");
    }
    if (options.remeasure_noisy) {
        plan.noisy_until = records::timestamp();
    }
    plan.nearby_widths = options.nearby_widths;
    plan.nearby_grid = options.space.grid;
    plan.sweep = options.sweep;
    plan.sweep.max_seconds = 60.0 * options.minutes;
    return plan;
}

// Of the last random networks that were predicted and then measured; nothing where the time was up before.
std::optional<double> worst_error_pct(const SweptModel& swept) {
    std::optional<double> worst;
    for (const double error : swept.summary.network_errors) {
        worst = std::max(worst.value_or(0.0), 100.0 * std::abs(error));
    }
    return worst;
}

records::Json swept_json(const SweptModel& swept) {
    return {{"model", swept.model},
            {"networks_run", swept.summary.host_networks.size()},
            {"held_out_widths", swept.summary.held_out_widths},
            {"held_out_inner_widths", swept.summary.held_out_inner_widths},
            {"held_out_networks", swept.summary.network_errors.size()},
            {"worst_error_pct", records::value_or_null(worst_error_pct(swept))},
            {"complete", swept.summary.complete}};
}

struct ErrorSummary {
    double median_pct = 0.0;
    double worst_pct = 0.0;
    int networks = 0;
};

// Of the networks run as they are, for one cache state; nothing where none was.
std::optional<ErrorSummary> error_summary(const std::vector<records::VerifiedModel>& models,
                                          CacheState cache) {
    std::vector<double> errors;
    for (const records::VerifiedModel& one : models) {
        if (one.record.cache == cache) {
            errors.push_back(std::abs(records::error_pct(one.record)));
        }
    }
    if (errors.empty()) {
        return std::nullopt;
    }
    return ErrorSummary{quantile(errors, 0.5), *std::max_element(errors.begin(), errors.end()),
                        static_cast<int>(errors.size())};
}

records::Json errors_json(const std::vector<records::VerifiedModel>& models) {
    records::Json errors = records::Json::object();
    for (const CacheState cache : {CacheState::network, CacheState::warm, CacheState::cold}) {
        if (const auto summary = error_summary(models, cache)) {
            errors[std::string(name_of(cache))] = {{"networks", summary->networks},
                                                   {"median_error_pct", summary->median_pct},
                                                   {"worst_error_pct", summary->worst_pct}};
        }
    }
    return errors;
}

void print_errors(std::ostream& out, const std::vector<records::VerifiedModel>& models) {
    for (const CacheState cache : {CacheState::network, CacheState::warm, CacheState::cold}) {
        if (const auto summary = error_summary(models, cache)) {
            print_lines(
                out, wrapped(fmt::format("layers added up in the state {}: {:.2f} % off the whole network in "
                                         "the median of {}, {:.2f} % at worst",
                                         name_of(cache), summary->median_pct,
                                         counted(static_cast<std::size_t>(summary->networks), "network"),
                                         summary->worst_pct),
                             2));
        }
    }
}

// What the clock took in the networks that were timed. Null overhead: by prefixes, or on devices where a clock takes
// no time.
records::Json row_clock_json(RowMethod method, const std::vector<ClockCost>& clocks) {
    std::vector<double> layer_us;
    std::int64_t clamped = 0;
    for (const ClockCost& clock : clocks) {
        layer_us.push_back(clock.layer_us);
        clamped += clock.clamped;
    }
    const bool taken_off = method == RowMethod::stopwatch && !clocks.empty();
    return {{"method", name_of(method)},
            {"overhead_us", taken_off ? records::Json(quantile(layer_us, 0.5)) : records::Json()},
            {"clamped", clamped}};
}

void warn_of_clamped(const ProfileOutcome& outcome, Session& session) {
    std::int64_t clamped = 0;
    std::int64_t readings = 0;
    for (const ClockCost& clock : outcome.rows.clocks) {
        clamped += clock.clamped;
        readings += clock.readings;
    }
    if (clamped > 0) {
        session.log.warn(
            "of {} readings of layers, {} were too short for what the clock between layers takes: the "
            "rows add up to more than the network",
            readings, clamped);
    }
}

// Of the networks that were run as they are. One that was run is there once for each cache state.
void print_throughput(std::ostream& out, std::vector<records::VerifiedModel> models, bool details) {
    std::set<std::string> names;
    std::erase_if(models, [&names](const records::VerifiedModel& one) {
        return !names.insert(one.record.model).second;
    });
    if (details || models.size() <= swept_in_answer) {
        print_lines(out, records::throughput_lines(models));
    }
}

records::Json outcome_json(const std::string& table, const DeviceRecord& device, RowMethod method,
                           const ProfileOutcome& outcome) {
    records::Json swept = records::Json::array();
    for (const SweptModel& one : outcome.swept) {
        swept.push_back(swept_json(one));
    }
    records::Json networks = records::Json::array();
    for (const records::VerifiedModel& one : outcome.verified) {
        networks.push_back(records::verified_json(one));
    }
    return {{"table", table},
            {"device", device.id},
            {"measured", outcome.rows.measured},
            {"reused", outcome.rows.reused},
            {"noisy", outcome.rows.noisy},
            {"failed", outcome.rows.failed},
            {"given_up", outcome.rows.given_up},
            {"dropped_kernel_records", outcome.rows.dropped_records},
            {"interrupted", outcome.rows.interrupted},
            {"row_clock", row_clock_json(method, outcome.rows.clocks)},
            {"models", std::move(swept)},
            {"networks", std::move(networks)},
            {"sum_errors", errors_json(outcome.verified)}};
}

// What the sweeps of networks come to. Of many, those that are predicted worst.
void print_swept(std::ostream& out, std::vector<SweptModel> swept, bool details) {
    std::erase_if(swept, [](const SweptModel& one) { return !worst_error_pct(one); });
    const std::size_t shown = details ? swept.size() : std::min(swept.size(), swept_in_answer);
    if (shown < swept.size()) {
        std::stable_sort(swept.begin(), swept.end(), [](const SweptModel& a, const SweptModel& b) {
            return *worst_error_pct(a) > *worst_error_pct(b);
        });
    }
    for (std::size_t i = 0; i < shown; ++i) {
        print_lines(out,
                    wrapped(fmt::format("{}: {} it had not seen predicted within {:.1f} %", swept[i].model,
                                        counted(swept[i].summary.network_errors.size(), "network"),
                                        *worst_error_pct(swept[i])),
                            2));
    }
    if (shown < swept.size()) {
        out << fmt::format("and {} networks that are predicted better: --details\n", swept.size() - shown);
    }
}

// What a runtime's own profiler says of the whole networks, as a share of what they take.
void print_profiled(std::ostream& out, const std::vector<records::VerifiedModel>& models) {
    std::vector<double> shares;
    for (const records::VerifiedModel& one : models) {
        if (one.profiled_us) {
            shares.push_back(*one.profiled_us / one.record.measured_us);
        }
    }
    if (shares.empty()) {
        return;
    }
    print_lines(out, wrapped(fmt::format("the runtime's own profile adds up to {:.1f} % of the whole network "
                                         "in the median of {}, {:.1f} to {:.1f} %; the rest is spread "
                                         "evenly over its operations",
                                         100.0 * quantile(shares, 0.5), counted(shares.size(), "network"),
                                         100.0 * *std::min_element(shares.begin(), shares.end()),
                                         100.0 * *std::max_element(shares.begin(), shares.end())),
                             2));
}

void print_outcome(std::ostream& out, const std::string& table, const ProfileOutcome& outcome, bool details) {
    print_swept(out, outcome.swept, details);
    print_throughput(out, outcome.verified, details);
    print_errors(out, outcome.verified);
    print_profiled(out, outcome.verified);
    print_lines(out, wrapped(fmt::format("{}: {} rows measured ({} noisy, {} without a value), {} were there",
                                         table, with_separators(outcome.rows.measured), outcome.rows.noisy,
                                         outcome.rows.failed, with_separators(outcome.rows.reused)),
                             2));
    if (outcome.rows.noisy > 0) {
        print_lines(out, wrapped("noisy rows are measured again by the same command with --remeasure-noisy, "
                                 "and --seconds for more time",
                                 2));
    }
}

ExitStatus profile_command(const ProfileOptions& options, bool retry_failed, Session& session) {
    ProfileJob plan = plan_of(options, session);
    plan.retry_failed = retry_failed;
    const DeviceAccess device = open_device(options.timing.device, options.timing.threads, session);
    const DeviceRecord record = device.record();
    const std::unique_ptr<Instruments> instruments = options.counters.open(device.handle.device);
    plan.measure.instruments = instruments.get();
    Table table = Table::open(options.table, OpenMode::create, &record);
    const ProfileOutcome outcome = profile_models(device.handle, table, plan, session);
    if (session.json) {
        records::print_json(session.out, outcome_json(options.table, record, plan.measure.rows, outcome));
    } else {
        print_outcome(session.out, options.table, outcome, options.details);
    }
    if (const auto warning =
            speed_warning(device.handle, table, plan.measure, "the same command measures them again")) {
        session.warn(*warning);
        session.keep_doubt(*warning);
    }
    warn_of_clamped(outcome, session);
    if (outcome.rows.interrupted) {
        session.log.warn("interrupted; what was measured is in {}, and the same command goes on from there",
                         options.table);
    }
    const ExitStatus status = outcome.complete() ? ExitStatus::done : ExitStatus::incomplete;
    // Rows of an earlier run are not touched by what disturbs this one.
    return outcome.rows.measured > 0 ? status_with_doubts(status, session) : status;
}

}  // namespace

Run declare_profile(CLI::App& parser) {
    auto options = std::make_shared<ProfileOptions>();
    parser.add_option("models", options->models, "Names of the zoo, or YAML or ONNX files");
    add_input_option(parser, options->inputs);
    parser.add_flag("--all", options->all, "Every network of the zoo");
    parser.add_option("--table", options->table, "The table's file; made if it is not there")->required();
    add_batch_options(parser, options->batch);
    parser
        .add_option("--cache", options->caches,
                    "States of the caches, separated by commas: network, warm, cold")
        ->delimiter(',')
        ->capture_default_str();
    add_timing_options(parser, options->timing);
    add_space_options(parser, options->space);
    add_inner_options(parser, options->space);
    parser
        .add_option("--rows", options->rows,
                    "How layers are timed inside their network: stopwatch, or prefix (on GPUs)")
        ->capture_default_str();
    parser.add_flag("--own-layers", options->own_layers, "Only the networks as they are, no other widths");
    parser
        .add_option(
            "--nearby-widths", options->nearby_widths,
            "Of networks as they are, also each width alone, at so many counts above and below its own")
        ->check(CLI::Range(0, 64))
        ->capture_default_str();
    parser.add_option("--widths", options->widths,
                      "Of networks as they are, also all widths together, at ratios of their own: "
                      "0.5..1 is what scale and compare need for budgets below 1");
    parser.add_flag("--remeasure-noisy", options->remeasure_noisy,
                    "Measure the networks of noisy rows again, too");
    parser
        .add_option("--tolerance", options->sweep.tolerance,
                    "Error within which a held-out width must be predicted")
        ->check(CLI::Range(0.001, 1.0))
        ->capture_default_str();
    parser
        .add_option("--minutes", options->minutes,
                    "Look at other widths of one network for at most this long")
        ->check(CLI::Range(0.01, 60.0 * 24 * 30))
        ->capture_default_str();
    add_details_option(parser, options->details);
    add_counter_options(parser, options->counters);
    return [options](Session& session) {
        return surviving_lost_devices(
            session, [&](bool retry_failed) { return profile_command(*options, retry_failed, session); });
    };
}

}  // namespace hacscale::cli
