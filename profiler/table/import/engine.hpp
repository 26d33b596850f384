// An engine's layers, read from the files that TensorRT's trtexec writes; profiler/table/import/tensorrt.hpp makes rows of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "models/ops/layer_spec.hpp"

namespace hacscale {

struct TensorRtFiles {
    std::filesystem::path profile;
    std::filesystem::path layers;  // empty: names alone say what a layer of the engine computes
    std::filesystem::path times;   // empty: the engine's latency is not known
};

struct EngineLayer {
    std::string name;
    double latency_us = 0.0;
    std::vector<std::string> nodes;  // of the ONNX file, as far as it is named
    std::string reason;              // why it is in no row
};

namespace detail {

struct TimedEngineLayer : EngineLayer {
    // What the layer info says of it; absent or empty where it does not.
    std::optional<LayerSpec> layer;  // of convs and pools; their layout is not said
    std::optional<DataType> type;
    std::string other_type;  // a type that tables do not have
    std::optional<int> batch;
    std::string tactic;
};

struct Engine {
    std::vector<TimedEngineLayer> layers;
    std::int64_t passes = 0;  // that the times are of; 0: the profile does not say
    bool detailed = false;    // there is layer info beyond names
    std::optional<double> latency_us;
};

// The nodes of the ONNX file that a name of the engine is made of: "/conv1/Conv + /relu/Relu", "PWN(/act/Sigmoid, /act/Mul)".
std::vector<std::string> parts_of_engine_name(const std::string& name);

// Throws InputError for files that are not what trtexec writes, and for layer info of another engine.
Engine read_engine(const TensorRtFiles& files);

}  // namespace detail

}  // namespace hacscale
