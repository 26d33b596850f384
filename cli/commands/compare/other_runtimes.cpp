#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/error.hpp"
#include "cli/commands/compare/compare.hpp"
#include "models/formats/formats.hpp"
#include "models/graph/graph_values.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale::cli {

namespace {

std::filesystem::path this_program() {
    return std::filesystem::read_symlink("/proc/self/exe");
}

}  // namespace

std::vector<OtherRuntime> other_runtimes(const CompareOptions& options) {
    std::vector<OtherRuntime> runtimes;
    for (const std::string& text : options.other_runtimes) {
        for (OtherRuntime& runtime : parse_other_runtimes(text)) {
            const auto same = [&](const OtherRuntime& one) { return one.name == runtime.name; };
            if (std::any_of(runtimes.begin(), runtimes.end(), same)) {
                throw InputError(fmt::format("--verify-on names {} twice", runtime.name));
            }
            runtimes.push_back(std::move(runtime));
        }
    }
    require_devices(this_program(), runtimes);
    return runtimes;
}

void time_elsewhere(records::ComparisonRecord& record, const Subject& subject, const CompareOptions& options,
                    const std::vector<OtherRuntime>& runtimes, Session& session) {
    const auto with_weights = [](Network network) {
        if (network.weights.empty()) {
            network.weights = random_weights(network.graph, 0);
        }
        return network;
    };
    const Network base = subject.graph ? with_weights(*subject.graph) : Network{};
    const auto network_of_row = [&](const records::StrategyRow& row) {
        if (!subject.graph) {
            return with_weights(network_of(parse_model(row.spec, row.strategy)));
        }
        return &row == &record.base ? base
                                    : chosen_network(base, record, row, options.files.scores,
                                                     {.grouped_convs = kept_by(options.keep)});
    };
    const OtherTimingSettings settings{record.batch, options.timing.threads, options.timing.seconds,
                                       record.type};
    const TimeElsewhere by_command =
        in_turns([&](const OtherRuntime& runtime,
                     const std::filesystem::path& file) { return time_by_command(runtime, file, settings); },
                 session);
    const TimeElsewhere time = [&](const OtherRuntime& runtime,
                                   const std::vector<std::filesystem::path>& files) {
        if (!runtime.is_device()) {
            return by_command(runtime, files);
        }
        return std::vector<OtherRound>{time_on_device(this_program(), runtime.name, files, settings)};
    };
    add_elsewhere(record, runtimes, network_of_row, time, session);
    for (const records::OtherLatency& other : record.base.elsewhere) {
        if (!other.latency_us) {
            session.warn(fmt::format("{} did not time the base: {}", other.runtime, other.reason));
        }
    }
}

}  // namespace hacscale::cli
