#include "profiler/table/import/tensorrt.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <unordered_map>

#include "base/error.hpp"
#include "profiler/table/import/engine.hpp"

namespace hacscale {
namespace {

using detail::Engine;
using detail::TimedEngineLayer;

// What is one piece: layers of the engine, and layers of the network, that share nodes of the file.
struct Piece {
    std::vector<std::size_t> engine;
    std::vector<std::size_t> network;
};

class Pieces {
public:
    Pieces(const Engine& engine, const TensorRtNetwork& network)
        : network_size_(network.nodes.size()), parents_(network_size_ + engine.layers.size()) {
        std::iota(parents_.begin(), parents_.end(), std::size_t{0});
        std::unordered_map<std::string, std::size_t> layer_of_node;
        for (std::size_t i = 0; i < network_size_; ++i) {
            for (const std::string& node : network.nodes[i]) layer_of_node.emplace(node, i);
        }
        for (std::size_t i = 0; i < engine.layers.size(); ++i) {
            for (const std::string& node : engine.layers[i].nodes) {
                const auto found = layer_of_node.find(node);
                if (found != layer_of_node.end()) parents_[root(network_size_ + i)] = root(found->second);
            }
        }
    }

    std::vector<Piece> list() {
        std::map<std::size_t, Piece> by_root;
        for (std::size_t i = 0; i < parents_.size(); ++i) {
            Piece& piece = by_root[root(i)];
            if (i < network_size_) {
                piece.network.push_back(i);
            } else {
                piece.engine.push_back(i - network_size_);
            }
        }
        std::vector<Piece> pieces;
        for (auto& [first, piece] : by_root) pieces.push_back(std::move(piece));
        return pieces;
    }

private:
    std::size_t root(std::size_t i) {
        while (parents_[i] != i) i = parents_[i] = parents_[parents_[i]];
        return i;
    }

    std::size_t network_size_;
    std::vector<std::size_t> parents_;  // layers of the network, then those of the engine
};

class Importing {
public:
    Importing(const Engine& engine, const ImportSettings& settings, std::optional<DataType> type)
        : engine_(engine), settings_(settings), type_(type ? *type : usual_type()) {
        result_.device = imported_device(settings.device, settings.software);
        result_.entries = static_cast<std::int64_t>(engine.layers.size());
        result_.engine_us = engine.latency_us;
        for (const TimedEngineLayer& layer : engine.layers) result_.layers_us += layer.latency_us;
        for (const TimedEngineLayer& layer : engine.layers) {
            if (layer.batch) batch_ = batch_ ? batch_ : layer.batch;
        }
    }

    TensorRtImport with(const TensorRtNetwork& network) {
        name_ = network.name;
        if (network.nodes.size() != network.graph.nodes.size()) {
            throw InputError(fmt::format("{}: nodes are known of {} of its {} layers", network.name,
                                         network.nodes.size(), network.graph.nodes.size()));
        }
        for (const Piece& piece : Pieces(engine_, network).list()) {
            if (piece.network.size() == 1 && !piece.engine.empty()) {
                const Node& node = network.graph.nodes[piece.network.front()];
                check_width(node, piece);
                if (!add(node.layer, piece.engine)) result_.not_found.push_back(node.name);
                continue;
            }
            std::vector<std::string> names;
            for (const std::size_t i : piece.network) names.push_back(network.graph.nodes[i].name);
            if (piece.engine.empty()) {
                result_.not_found.insert(result_.not_found.end(), names.begin(), names.end());
                continue;
            }
            result_.in_one_piece = result_.in_one_piece || !names.empty();
            for (const std::size_t i : piece.engine) {
                leave_out(i, names.empty() ? "it names no layer of the network"
                                           : fmt::format("it runs {} in one piece", fmt::join(names, ", ")));
            }
        }
        if (sums_.empty()) {
            throw InputError(
                fmt::format("no layer of the engine names a node of {}, {} for one; give the ONNX file that "
                            "the engine was built from",
                            network.name, engine_.layers.front().name));
        }
        return finish();
    }

    TensorRtImport alone() {
        if (!engine_.detailed) {
            throw InputError(
                "an engine's layers are names alone; give the layer info of an engine built with "
                "--profilingVerbosity=detailed (--layer-info), or the network (--network)");
        }
        for (std::size_t i = 0; i < engine_.layers.size(); ++i) {
            if (engine_.layers[i].layer) {
                (void)add(*engine_.layers[i].layer, {i});
            } else {
                leave_out(
                    i,
                    "its info says no conv and no pool that a table has; --network matches others by name");
            }
        }
        if (sums_.empty()) throw InputError("the layer info has no conv and no pool that a table can hold");
        return finish();
    }

private:
    struct Sum {
        double latency_us = 0.0;
        int places = 0;
        std::set<std::string> tactics;
    };

    // In which most of the engine's time is spent.
    DataType usual_type() const {
        std::map<std::string, double> time_us;
        std::map<std::string, DataType> types;
        for (const TimedEngineLayer& layer : engine_.layers) {
            const std::string name = layer.type ? std::string(name_of(*layer.type)) : layer.other_type;
            if (name.empty()) continue;
            time_us[name] += layer.latency_us;
            if (layer.type) types.emplace(name, *layer.type);
        }
        if (time_us.empty()) return settings_.type;
        const auto most = std::max_element(time_us.begin(), time_us.end(),
                                           [](const auto& a, const auto& b) { return a.second < b.second; });
        if (!types.contains(most->first)) {
            throw InputError(fmt::format(
                "the engine spends most of its time in {}, a data type that tables do not have; build one in "
                "FP32, FP16 or BF16",
                most->first));
        }
        return types.at(most->first);
    }

    // An engine of another network may have the same names.
    void check_width(const Node& node, const Piece& piece) const {
        for (const std::size_t i : piece.engine) {
            const auto& layer = engine_.layers[i].layer;
            if (layer && layer->kind == LayerKind::conv && node.layer.kind == LayerKind::conv &&
                (layer->in_channels != node.layer.in_channels ||
                 layer->out_channels != node.layer.out_channels)) {
                throw InputError(
                    fmt::format("the engine's {} has {} input and {} output channels, and {} of the network "
                                "has {} and {}; give "
                                "the network that the engine was built from",
                                engine_.layers[i].name, layer->in_channels, layer->out_channels, node.name,
                                node.layer.in_channels, node.layer.out_channels));
            }
        }
    }

    void leave_out(std::size_t i, std::string reason) {
        EngineLayer layer = engine_.layers[i];
        layer.reason = std::move(reason);
        result_.without_row.push_back(std::move(layer));
    }

    // False where they can be no row.
    bool add(const LayerSpec& layer, const std::vector<std::size_t>& parts) {
        double latency_us = 0.0;
        for (const std::size_t i : parts) {
            const TimedEngineLayer& part = engine_.layers[i];
            if (!part.other_type.empty()) {
                for (const std::size_t other : parts) {
                    leave_out(other, fmt::format("it computes in {}, a data type that tables do not have",
                                                 part.other_type));
                }
                return false;
            }
            latency_us += part.latency_us;
        }
        if (latency_us <= 0.0) {
            for (const std::size_t i : parts) leave_out(i, "it took no time that the profile shows");
            return false;
        }
        Sum& sum = sums_[layer];
        sum.latency_us += latency_us;
        ++sum.places;
        result_.rows_us += latency_us;
        bool in_other_type = false;
        for (const std::size_t i : parts) {
            const TimedEngineLayer& part = engine_.layers[i];
            if (!part.tactic.empty()) sum.tactics.insert(part.tactic);
            in_other_type = in_other_type || (part.type && *part.type != type_);
        }
        if (in_other_type) ++in_other_types_;
        return true;
    }

    TensorRtImport finish() {
        if (in_other_types_ > 0) {
            result_.notes.push_back(fmt::format(
                "{} layers computed in another data type than {}; their rows are {}, as the engine's others",
                in_other_types_, name_of(type_), name_of(type_)));
        }
        for (const auto& [layer, sum] : sums_) {
            Row row;
            row.key = {layer, batch_.value_or(settings_.batch), type_, CacheState::network,
                       footprint_bucket(settings_.footprint_bytes)};
            row.latency_us = sum.latency_us / sum.places;
            row.samples = engine_.passes;
            row.implementation = fmt::format("TensorRT {}", fmt::join(sum.tactics, " + "));
            row.host_network = name_;
            result_.rows.push_back(std::move(row));
        }
        return std::move(result_);
    }

    const Engine& engine_;
    const ImportSettings& settings_;
    DataType type_;
    std::optional<int> batch_;
    std::string name_;
    std::map<LayerSpec, Sum> sums_;
    int in_other_types_ = 0;
    TensorRtImport result_;
};

}  // namespace

TensorRtImport import_tensorrt(const TensorRtFiles& files, const std::optional<TensorRtNetwork>& network,
                               const ImportSettings& settings, std::optional<DataType> settings_type) {
    const Engine engine = detail::read_engine(files);
    Importing importing(engine, settings, settings_type);
    return network ? importing.with(*network) : importing.alone();
}

}  // namespace hacscale
