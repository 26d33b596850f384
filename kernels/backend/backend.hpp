// A backend compiles networks for the devices of one kind and runs them. It is a module loaded at run time
// (see backend_registry.hpp), so that the program starts where a backend's libraries are absent.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "kernels/backend/network_runner.hpp"
#include "models/graph/graph.hpp"
#include "models/graph/graph_values.hpp"

namespace hacscale {

struct BackendDevice {
    std::string id;  // "cpu", "cuda:0", "onnxruntime@cpu"
    std::string name;
    std::string fingerprint;            // hash of all that must match for timings to be comparable
    std::string properties;             // JSON object, for people and records
    int threads = 0;                    // that work is spread over, on CPUs; 0 on other devices
    std::vector<std::string> warnings;  // what may spoil timings here (frequency scaling, a debug build)
};

struct CompileOptions {
    int batch = 1;
    DataType type = DataType::f32;
    // Bytes that one pass goes over, of the network that a single layer stands in for: kernels are chosen as
    // they would be there. 0: the network's own.
    std::int64_t footprint_bytes = 0;
    // That load() will bring, one entry a node: a backend that compiles weights in has no second compilation then. Null: not known yet.
    const std::vector<LayerWeights>* weights = nullptr;
    // Of i8: what the ranges of tensors are taken from. It must live as long as the runner. Null: random_samples().
    const InputSamples* calibration = nullptr;
};

// Why a network has no runner. Only `unsupported` is for good: the same backend on the same device answers the
// same. The others may pass, when another process gives memory back or the device works again.
enum class NoRunner { unsupported, no_memory, failed };

// Either a runner, or the reason why there is none, naming the layer where one is to blame.
struct Compiled {
    std::unique_ptr<NetworkRunner> runner;
    std::string reason;
    NoRunner why = NoRunner::failed;  // of no meaning where there is a runner
};

class Backend {
public:
    virtual ~Backend() = default;
    virtual std::string name() const = 0;
    // As NetworkRunner::clock_us(), for the limits on work that goes over many networks.
    virtual double clock_us() const { return now_us(); }
    virtual std::vector<BackendDevice> devices() const = 0;
    // Why this data type cannot be used on the device; empty when it can.
    virtual std::string unsupported_reason(const std::string& device, DataType type) const = 0;
    // The layout in which this network runs fastest here; the layouts that its layers name do not matter.
    // Where it is measured, it takes as long as compiling and running the network in each layout, and is
    // remembered.
    virtual Layout preferred_layout(const Graph& network, const CompileOptions& options) const = 0;
    // Throws DeviceLost, and MissingError when the device cannot be used now, whatever the network.
    virtual Compiled compile(const std::string& device, const Graph& network,
                             const CompileOptions& options) = 0;
    // Large dense layers; the best FLOP/s over them is the device's measured peak.
    virtual std::vector<LayerSpec> peak_layers(DataType type) const = 0;
    // Lets go of threads that wait for the next layer, so that they do not disturb what is measured now in another process. They are
    // back when a network runs.
    virtual void rest() {}
    // Bytes read plus written per second by a copy larger than the last-level cache, the best of a few passes.
    virtual double copy_bandwidth(const std::string& device) const = 0;
};

// ---- What a module exports: extern "C" const BackendModule* hacscale_backend_module(); ----

// What a library would choose for a layer on a device that is known from a file and need not be here. Nothing
// is run.
struct LayerPlan {
    int node = 0;                          // of the network
    std::string implementation;            // as NetworkRunner::implementation(); empty when there is none
    std::string engine;                    // the library's engine, "hand-written" for this project's kernels
    std::map<std::string, int64_t> knobs;  // its settings: tile size, stages, split-k
    std::int64_t workspace_bytes = 0;
    bool fused = false;   // bias, residual and activation run in the same kernel
    std::string reason;   // why it is not fused, or why there is no plan
    std::string library;  // whose engine it is, with its version: "cudnn 9.19.0"; empty for the project's own
};

constexpr std::uint32_t backend_abi_version = 7;
constexpr const char* backend_entry_name = "hacscale_backend_module";

struct BackendModule {
    std::uint32_t abi_version;
    const char* name;
    // Throws MissingError when this machine cannot run the backend at all, saying what to install.
    std::unique_ptr<Backend> (*create)();
    // Plans for a device described by the text of a GPU profile (docs/formats.md, "GPU profiles"); works where
    // create() throws. One entry a node. Null where the backend cannot plan without a device. Throws InputError for
    // an invalid profile, MissingError when the library is not here.
    std::vector<LayerPlan> (*plan)(const std::string& device_profile, const Graph& network,
                                   const CompileOptions& options) = nullptr;
};

// Is what a device computes right? Asked of every layer before its time counts.

struct SpotCheck {
    bool right = false;
    double relative_error = 0.0;
    std::string reason;  // when not right: what was wrong, and with which kernel
};

// Runs the layer alone with random weights and inputs over poisoned outputs, and compares with the
// double-precision reference: every output of cheap layers, a few hundred outputs spread over the tensor of
// convs. Every output has to be a number. The bounds are 1e-4 for f32, 2e-2 for bf16 and f16, 5e-2 for i8, relative, over
// the compared outputs.
SpotCheck spot_check(Backend& backend, const std::string& device, const LayerSpec& layer,
                     const CompileOptions& options);

}  // namespace hacscale
