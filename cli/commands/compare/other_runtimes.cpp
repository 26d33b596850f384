#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "cli/commands/compare/compare.hpp"
#include "models/formats/formats.hpp"
#include "models/graph/graph_values.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale::cli {

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

}  // namespace hacscale::cli
