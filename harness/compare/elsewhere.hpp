// How fast the networks of a comparison are in other runtimes: does what was chosen here pay there? A runtime is an external
// command that is given a network as an ONNX file and answers with its latency (docs/formats.md, "Commands that time a network"), so
// that any runtime can be added: ONNX Runtime, TensorRT, one on another machine.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/events.hpp"
#include "models/graph/network.hpp"
#include "records/comparison.hpp"

namespace hacscale::harness {

struct OtherRuntime {
    std::string name;
    std::string command;  // a line of the shell, to which the file's name is added
    bool operator==(const OtherRuntime&) const = default;
};

// "NAME=COMMAND", NAME of letters, digits and . _ - @. Throws InputError for any other text.
OtherRuntime parse_other_runtime(const std::string& text);

// What a command answered: microseconds of one pass, or why there are none.
struct OtherTiming {
    std::optional<double> latency_us;
    std::string reason;
};
// The last line of `answer` that is not empty: a number, microseconds, or a JSON object with "latency_us".
OtherTiming timing_in(const std::string& answer);

// How a command is asked.
struct OtherTimingSettings {
    int batch = 1;
    int threads = 0;       // 0: as many as it likes
    double seconds = 2.0;  // about how long it may measure
};
// Runs the command and waits for it. HACSCALE_BATCH, HACSCALE_THREADS and HACSCALE_SECONDS tell it the settings. What it says on standard
// error becomes the reason where it fails.
OtherTiming time_by_command(const OtherRuntime& runtime, const std::filesystem::path& onnx,
                            const OtherTimingSettings& settings);

// A row's network with weights.
using NetworkOfRow = std::function<Network(const records::StrategyRow&)>;
using TimeElsewhere = std::function<OtherTiming(const OtherRuntime&, const std::filesystem::path&)>;

// Fills `elsewhere` of the base and of every row with a choice, one entry a runtime. Each network is timed in three rounds, in turns with
// all others, equal ones once; a latency is the median of the rounds, and a ratio that of the ratios to the base within them. A runtime
// that fails on the base is not asked for the others. Ends early when `events` asks for it.
void add_elsewhere(records::ComparisonRecord& record, const std::vector<OtherRuntime>& runtimes,
                   const NetworkOfRow& network_of, const TimeElsewhere& time, Events& events);

}  // namespace hacscale::harness
