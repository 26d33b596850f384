// `hacscale verify`: whole networks measured on the device beside the table's prediction of them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "base/text/lines.hpp"
#include "cli/commands.hpp"
#include "cli/network_options.hpp"
#include "cli/options.hpp"
#include "cli/printing/printing.hpp"
#include "harness/events.hpp"
#include "harness/measure/check_outputs.hpp"
#include "harness/measure/device_access.hpp"
#include "harness/measure/remedy.hpp"
#include "harness/measure/verify_models.hpp"
#include "models/formats/input_samples.hpp"
#include "models/zoo/zoo.hpp"
#include "profiler/timing/statistics.hpp"
#include "records/json.hpp"
#include "records/verification.hpp"

namespace hacscale::cli {

namespace {

constexpr std::size_t models_in_answer = 10;
constexpr std::size_t worst_in_answer = 5;    // of more networks than that
constexpr std::size_t skipped_in_answer = 1;  // its reason may take several lines

struct VerifyOptions {
    std::vector<std::string> models;
    InputOptions inputs;
    bool all = false;
    bool outputs = false;
    std::string images;  // a file
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

std::vector<std::string> names_of(const VerifyOptions& options) {
    std::vector<std::string> names = options.all ? zoo_names() : options.models;
    if (names.empty()) {
        throw InputError("a network is needed: its name or file, or --all for the zoo");
    }
    return names;
}

// Networks, and what the user calls each of them.
struct NamedNetworks {
    std::vector<ModelToVerify> models;
    std::vector<std::pair<std::string, std::string>> given;  // the network's name, and its name or file
};

NamedNetworks models_of(const VerifyOptions& options, Session& session) {
    NamedNetworks named;
    for (const std::string& name : names_of(options)) {
        named.models.push_back({network_named(name, options.inputs, session), "zoo"});
        named.given.emplace_back(named.models.back().network.name, name);
    }
    return named;
}

// Measures the layers that skipped networks need. A name or file is given as the user named it.
ShellCommand command_for(const std::vector<records::SkippedModel>& skipped,
                         const std::vector<std::pair<std::string, std::string>>& given,
                         const VerifyOptions& options, const Table& table) {
    std::vector<std::string> lacking;
    for (const auto& [network, name] : given) {
        if (std::any_of(
                skipped.begin(), skipped.end(),
                [&wanted = network](const records::SkippedModel& one) { return one.model == wanted; })) {
            lacking.push_back(name);
        }
    }
    std::vector<std::string> more{"--own-layers"};
    for (const std::string& input : options.inputs.given) {
        more.insert(more.end(), {"--input", input});
    }
    return Remedy{lacking, options.table, table.device(), options.state.state()}.profile(more);
}

// Networks one by one: weights of several may be too large together.
ExitStatus verify_outputs(const VerifyOptions& options, Session& session) {
    const BatchOptions& batch = options.state.batch;
    const DeviceAccess device = open_device(options.timing.device, options.timing.threads, session);
    records::Json networks = records::Json::array();
    bool right = true;
    for (const std::string& name : names_of(options)) {
        Network network = network_named(name, options.inputs, session);
        const std::string called = network.name;
        const bool own_weights = !network.weights.empty();
        const InputSamples samples =
            options.images.empty() ? InputSamples{} : read_input_samples(options.images, network);
        const CheckedOutputs checked =
            check_outputs(device.handle, std::move(network), batch.batch, batch.type(), samples);
        right = right && checked.right();
        if (!session.json) {
            std::string text = fmt::format(
                "{}: outputs are {:.1e} off ({} weights; allowed {:g}{}); the layer that is "
                "off most: {}, {:.1e}",
                called, checked.relative_error, own_weights ? "its own" : "random", checked.bound,
                checked.right() ? "" : ", WRONG", checked.worst_layer, checked.worst_error);
            if (checked.same_class && !options.images.empty()) {
                text += fmt::format("; {} of {} are in the same class", *checked.same_class,
                                    counted(static_cast<std::size_t>(batch.batch), "image"));
            }
            print_lines(session.out, wrapped(text, 2));
        }
        networks.push_back({{"model", called},
                            {"own_weights", own_weights},
                            {"relative_error", checked.relative_error},
                            {"bound", checked.bound},
                            {"right", checked.right()},
                            {"worst_layer", checked.worst_layer},
                            {"worst_layer_key", checked.worst_key},
                            {"worst_layer_error", checked.worst_error},
                            {"same_class", records::value_or_null(checked.same_class)}});
    }
    if (session.json) {
        records::print_json(session.out, {{"device", device.handle.device.id},
                                          {"batch", batch.batch},
                                          {"dtype", batch.dtype},
                                          {"networks", std::move(networks)}});
    }
    return right ? ExitStatus::done : ExitStatus::failed;
}

MeasureSettings verify_settings(const VerifyOptions& options) {
    MeasureSettings settings = options.timing.settings(options.state.batch);
    // A narrow interval of the median is not enough here, as long as there is time.
    settings.rules.min_samples = static_cast<int>(min_for_p99);
    return settings;
}

// Without a table, there is no prediction.
ExitStatus time_alone(const VerifyOptions& options, Session& session) {
    std::vector<Network> networks;
    const DeviceAccess device = open_device(options.timing.device, options.timing.threads, session);
    const BatchOptions& batch = options.state.batch;
    for (const std::string& name : names_of(options)) {
        networks.push_back(for_device(network_named(name, options.inputs, session), device.handle,
                                      batch.batch, batch.type()));
    }
    Progress progress(session);
    const std::vector<harness::TimedNetwork> timed =
        device_timer(device.handle, verify_settings(options), progress.work_events())(networks);
    bool complete = true;
    records::Json json = records::Json::array();
    TextTable table(
        {{"model", Align::left}, {"batch"}, {"dtype"}, {"measured us"}, {"+- us"}, {"p95 us"}, {"images/s"}});
    for (std::size_t i = 0; i < networks.size(); ++i) {
        const harness::TimedNetwork& one = timed[i];
        complete = complete && one.timed() && one.converged;
        const std::optional<double> measured_us = one.timed() ? std::optional(one.latency_us) : std::nullopt;
        records::Json entry{{"model", networks[i].name},
                            {"measured_us", records::value_or_null(measured_us)},
                            {"ci95_us", one.ci95_us},
                            {"reason", one.reason}};
        records::add_throughput(entry, batch.batch, measured_us, one.upper);
        json.push_back(std::move(entry));
        if (one.timed()) {
            table.add({networks[i].name, std::to_string(batch.batch), batch.dtype,
                       fmt::format("{:.1f}", one.latency_us), fmt::format("{:.1f}", one.ci95_us),
                       one.upper.p95 ? fmt::format("{:.1f}", *one.upper.p95) : "",
                       fmt::format("{:.1f}", records::images_per_s(batch.batch, one.latency_us))});
        }
    }
    if (session.json) {
        records::print_json(session.out, {{"device", device.handle.device.id},
                                          {"batch", batch.batch},
                                          {"dtype", batch.dtype},
                                          {"networks", std::move(json)}});
    } else {
        table.print(session.out);
    }
    for (std::size_t i = 0; i < networks.size(); ++i) {
        if (!timed[i].reason.empty()) {
            session.warn(fmt::format("{}: {}", networks[i].name, timed[i].reason));
        }
    }
    return status_with_doubts(complete ? ExitStatus::done : ExitStatus::incomplete, session);
}

ExitStatus verify_command(const VerifyOptions& options, Session& session) {
    if (options.outputs) {
        return verify_outputs(options, session);
    }
    if (!options.images.empty()) {
        throw InputError("--images is for --outputs: times do not depend on what is in an image");
    }
    if (options.table.empty()) {
        return time_alone(options, session);
    }
    NamedNetworks named = models_of(options, session);
    const MeasuredState state = options.state.state();
    Table table = Table::open(options.table, OpenMode::write);
    const DeviceAccess device = open_device(options.timing.device, options.timing.threads, session);
    check_same_device(table, device);
    Progress progress(session);
    const VerifyOutcome outcome = verify_models(
        table, std::move(named.models), state,
        device_timer(device.handle, table, verify_settings(options), progress.work_events()), session);
    for (const records::VerifiedModel& one : outcome.report.models) {
        table.put(one.record);
    }
    if (!outcome.report.skipped.empty()) {
        session.warn("what the table lacks is measured by:",
                     command_for(outcome.report.skipped, named.given, options, table));
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
    parser.add_option("models", options->models, "Names of the zoo, or YAML or ONNX files");
    add_input_option(parser, options->inputs);
    parser.add_flag("--all", options->all, "Every network of the zoo");
    parser.add_option("--table", options->table,
                      "The table's file; without one, networks are timed and nothing is predicted");
    parser.add_flag("--outputs", options->outputs,
                    "Instead of times, compare what the networks put out with the reference");
    parser.add_option("--images", options->images,
                      "With --outputs: a safetensors file of inputs; else they are random");
    add_details_option(parser, options->details);
    add_state_options(parser, options->state);
    add_timing_options(parser, options->timing);
    return [options](Session& session) { return verify_command(*options, session); };
}

}  // namespace hacscale::cli
