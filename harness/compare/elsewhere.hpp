// How fast the networks of a comparison are in other runtimes: does what was chosen here pay there? A runtime is one of this program's
// other devices ("onnxruntime@cpu"), or an external command that is given a network as an ONNX file and answers with its latency
// (docs/formats.md, "Commands that time a network"), so that any runtime can be added: TensorRT, one on another machine.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/events.hpp"
#include "models/graph/network.hpp"
#include "models/ops/layer_spec.hpp"
#include "records/comparison.hpp"

namespace hacscale::harness {

struct OtherRuntime {
    std::string name;     // of a device, its id
    std::string command;  // a line of the shell, to which the file's name is added; empty for a device
    bool is_device() const { return command.empty(); }
    bool operator==(const OtherRuntime&) const = default;
};

// "NAME=COMMAND", NAME of letters, digits and any of "._-@:"; or devices, separated by commas: "onnxruntime@cpu,openvino@cpu". Throws
// InputError for any other text.
std::vector<OtherRuntime> parse_other_runtimes(const std::string& text);

// What a runtime answered: microseconds of one pass, or why there are none.
struct OtherTiming {
    std::optional<double> latency_us;
    std::string reason;
};
// The last line of `answer` that is not empty: a number, microseconds, or a JSON object with "latency_us".
OtherTiming timing_in(const std::string& answer);

// How a runtime is asked.
struct OtherTimingSettings {
    int batch = 1;
    int threads = 0;                // 0: as many as it likes
    double seconds = 2.0;           // about how long it may measure one network
    DataType type = DataType::f32;  // of devices; a command has no say
};
// Runs the command and waits for it. HACSCALE_BATCH, HACSCALE_THREADS and HACSCALE_SECONDS tell it the settings. What it says on standard
// error becomes the reason where it fails.
OtherTiming time_by_command(const OtherRuntime& runtime, const std::filesystem::path& onnx,
                            const OtherTimingSettings& settings);

// The networks of some ONNX files on another device, by this program in a process of its own: runtimes in one process disturb each
// other with their threads. All take turns there. One answer a file.
std::vector<OtherTiming> time_on_device(const std::filesystem::path& program, const std::string& device,
                                        const std::vector<std::filesystem::path>& onnx,
                                        const OtherTimingSettings& settings);
// Throws MissingError for a device that is not here, with the reason, as `program` says it.
void require_devices(const std::filesystem::path& program, const std::vector<OtherRuntime>& runtimes);

// Timings that belong together, one a file; both fields are empty where a file was not asked for.
using OtherRound = std::vector<OtherTiming>;
using TimeElsewhere =
    std::function<std::vector<OtherRound>(const OtherRuntime&, const std::vector<std::filesystem::path>&)>;
using TimeOneElsewhere = std::function<OtherTiming(const OtherRuntime&, const std::filesystem::path&)>;
// Three rounds, in each of which every file has its turn. One that fails is not asked again, nor is any when the first one fails.
TimeElsewhere in_turns(TimeOneElsewhere time, Events& events);

// A row's network with weights.
using NetworkOfRow = std::function<Network(const records::StrategyRow&)>;

// Fills `elsewhere` of the base and of every row with a choice, one entry a runtime. Equal networks are timed once; a latency is the
// median of the rounds, and a ratio that of the ratios to the base within them. Ends early when `events` asks for it.
void add_elsewhere(records::ComparisonRecord& record, const std::vector<OtherRuntime>& runtimes,
                   const NetworkOfRow& network_of, const TimeElsewhere& time, Events& events);

}  // namespace hacscale::harness
