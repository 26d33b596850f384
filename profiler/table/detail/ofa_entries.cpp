#include "profiler/table/detail/ofa_entries.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <numeric>
#include <string_view>
#include <tuple>
#include <utility>

#include "models/stages/model_spec.hpp"

namespace hacscale::detail {
namespace {

constexpr int image_channels = 3;

bool is_conv(const LayerSpec& layer, int kernel, int stride) {
    return layer.kind == LayerKind::conv && layer.window == Window::square(kernel, stride, kernel / 2);
}

bool is_pointwise(const LayerSpec& layer) {
    return is_conv(layer, 1, 1) && layer.groups == 1;
}

// ProxylessNAS's networks have ReLU6 throughout; those with MobileNetV3's space have ReLU in some blocks and
// hard-swish elsewhere.
bool activates_whole_network(const LayerSpec& layer) {
    return layer.activation == Activation::relu6 || layer.activation == Activation::hard_swish;
}

std::string shape(int height, int width, int channels) {
    return fmt::format("{}x{}x{}", height, width, channels);
}
std::string input_shape(const LayerSpec& layer) {
    return shape(layer.in_height, layer.in_width, layer.in_channels);
}
std::string output_shape(const LayerSpec& layer) {
    return shape(layer.out_height(), layer.out_width(), layer.out_channels);
}

std::string plain_words(std::string_view name, const LayerSpec& layer) {
    return fmt::format("{}-input:{}-output:{}", name, input_shape(layer), output_shape(layer));
}

// Channels and map of what two layers hand over.
using Junction = std::tuple<int, int, int>;
Junction before(const LayerSpec& layer) {
    return {layer.in_channels, layer.in_height, layer.in_width};
}
Junction behind(const LayerSpec& layer) {
    return {layer.out_channels, layer.out_height(), layer.out_width()};
}

class EntryMaker {
public:
    // Each layer once, and in the layout channels_last.
    explicit EntryMaker(const std::vector<TimedLayer>& layers) : layers_(layers), roles_(layers.size()) {
        for (std::size_t i = 0; i < layers_.size(); ++i) sort_in(i);
        for (const std::size_t i : depthwise_) blocks_around(i);
        for (const std::size_t i : pools_) pooled_classifiers(i);
    }

    // By words. Layers that differ in what the words do not say (bias, the activation of a single layer) are
    // alternatives: the mean of their sums.
    std::map<std::string, double> latencies() const {
        std::map<std::string, double> means;
        for (const auto& [words, sums] : sums_us_) {
            means[words] = std::accumulate(sums.begin(), sums.end(), 0.0) / static_cast<double>(sums.size());
        }
        return means;
    }

    // Why a layer is in no entry; empty where it is in one.
    std::string reason(std::size_t i) const {
        if (roles_[i].used) return "";
        if (roles_[i].in_blocks) {
            return "no inverted residual of once-for-all's kind can be made of them and the other rows";
        }
        return fmt::format("once-for-all has no words for a {} of this form", name_of(layers_[i].layer.kind));
    }

private:
    // What a layer could be in the table.
    struct Role {
        bool in_blocks = false;  // a block can have it
        bool used = false;
    };

    // Enters the layers that have words of their own, and remembers those that blocks are made of.
    void sort_in(std::size_t i) {
        const LayerSpec& layer = layers_[i].layer;
        switch (layer.kind) {
            case LayerKind::conv:
                conv(i, layer);
                break;
            case LayerKind::squeeze_excite:
                squeezes_[before(layer)].push_back(i);
                roles_[i].in_blocks = true;
                break;
            case LayerKind::global_avg_pool:
                pools_.push_back(i);
                put(plain_words("AvgPool2D", layer), {i});
                break;
            case LayerKind::linear:
                if (layer.in_height != 1 || layer.in_width != 1) break;  // it reads a map that was not pooled
                if (layer.activation == Activation::none) {
                    classifiers_[layer.in_channels].push_back(i);
                    put(fmt::format("Logits-input:{}-output:{}", input_shape(layer), layer.out_channels),
                        {i});
                } else if (layer.activation == Activation::hard_swish) {
                    put(plain_words("Conv_2", layer), {i});
                }
                break;
            default:  // once-for-all has no other kinds
                break;
        }
    }

    void conv(std::size_t i, const LayerSpec& layer) {
        roles_[i].in_blocks = true;
        if (layer.depthwise() && is_conv(layer, layer.kernel(), layer.stride()) && !layer.residual) {
            depthwise_.push_back(i);
        } else if (is_pointwise(layer) && layer.activation == Activation::none) {
            projections_[before(layer)].push_back(i);
        } else if (is_pointwise(layer) && !layer.residual) {
            expansions_[behind(layer)].push_back(i);
            const bool one_pixel = layer.in_height == 1 && layer.in_width == 1;
            if (activates_whole_network(layer)) put(plain_words(one_pixel ? "Conv_2" : "Conv_1", layer), {i});
        } else {
            roles_[i].in_blocks = false;
            const bool first = is_conv(layer, 3, 2) && layer.groups == 1 &&
                               layer.in_channels == image_channels && !layer.residual;
            if (first && activates_whole_network(layer)) put(plain_words("Conv", layer), {i});
        }
    }

    void pooled_classifiers(std::size_t i) {
        const LayerSpec& pool = layers_[i].layer;
        const auto classifiers = classifiers_.find(pool.out_channels);
        if (classifiers == classifiers_.end()) return;
        for (const std::size_t linear : classifiers->second) {
            put(fmt::format("Logits-input:{}-output:{}", input_shape(pool),
                            layers_[linear].layer.out_channels),
                {i, linear});
        }
    }

    void blocks_around(std::size_t depthwise) {
        const LayerSpec& layer = layers_[depthwise].layer;
        const auto projections = projections_.find(behind(layer));
        if (projections == projections_.end()) return;
        for (const std::size_t projection : projections->second) {
            block(layer.in_channels, {depthwise, projection});
            const auto expansions = expansions_.find(before(layer));
            if (expansions == expansions_.end()) continue;
            for (const std::size_t expansion : expansions->second) {
                const LayerSpec& expanding = layers_[expansion].layer;
                // A block that expands nothing has no conv for it.
                if (expanding.activation != layer.activation || expanding.in_channels == layer.in_channels) {
                    continue;
                }
                block(expanding.in_channels, {depthwise, projection, expansion});
            }
        }
    }

    // The depthwise conv, the projection, and where there is one the expansion.
    void block(int in_channels, const std::vector<std::size_t>& rows) {
        const LayerSpec& depthwise = layers_[rows[0]].layer;
        const LayerSpec& projection = layers_[rows[1]].layer;
        const bool skip = projection.residual;
        if (skip && (depthwise.stride() != 1 || in_channels != projection.out_channels)) return;
        const auto words = [&](int expand) {
            return fmt::format("expanded_conv-input:{}-output:{}-expand:{}-kernel:{}-stride:{}-idskip:{}",
                               shape(depthwise.in_height, depthwise.in_width, in_channels),
                               output_shape(projection), expand, depthwise.kernel(), depthwise.stride(),
                               skip ? 1 : 0);
        };
        if (depthwise.activation == Activation::relu6) {
            // ProxylessNAS names the ratio, a whole number.
            if (depthwise.in_channels % in_channels == 0) {
                put(words(depthwise.in_channels / in_channels), rows);
            }
            return;
        }
        if (depthwise.activation != Activation::relu && depthwise.activation != Activation::hard_swish) {
            return;
        }
        // MobileNetV3's space names the inner width, and says whether there is a squeeze-excite.
        const int hard_swish = depthwise.activation == Activation::hard_swish ? 1 : 0;
        put(fmt::format("{}-se:0-hs:{}", words(depthwise.in_channels), hard_swish), rows);
        const auto squeezes = squeezes_.find(behind(depthwise));
        if (squeezes == squeezes_.end()) return;
        for (const std::size_t squeeze : squeezes->second) {
            if (!is_theirs(layers_[squeeze].layer)) continue;
            std::vector<std::size_t> with_squeeze = rows;
            with_squeeze.push_back(squeeze);
            put(fmt::format("{}-se:1-hs:{}", words(depthwise.in_channels), hard_swish), with_squeeze);
        }
    }

    // The one form of squeeze-excite that once-for-all has: a quarter of the inner width, on a grid of 8.
    static bool is_theirs(const LayerSpec& squeeze) {
        const SqueezeExciteSpec theirs{.ratio = 0.25, .divisor = 8};
        return squeeze.activation == Activation::relu && squeeze.gate == Activation::hard_sigmoid &&
               squeeze.squeeze_channels == squeeze_width(theirs, squeeze.in_channels, squeeze.in_channels);
    }

    void put(const std::string& words, const std::vector<std::size_t>& layers) {
        double latency_us = 0.0;
        for (const std::size_t layer : layers) {
            latency_us += layers_[layer].latency_us;
            roles_[layer].used = true;
        }
        sums_us_[words].push_back(latency_us);
    }

    const std::vector<TimedLayer>& layers_;
    std::vector<Role> roles_;
    std::map<std::string, std::vector<double>> sums_us_;  // by words
    std::vector<std::size_t> depthwise_, pools_;
    std::map<Junction, std::vector<std::size_t>> expansions_;   // by what they put out
    std::map<Junction, std::vector<std::size_t>> projections_;  // by what they read
    std::map<Junction, std::vector<std::size_t>> squeezes_;
    std::map<int, std::vector<std::size_t>> classifiers_;  // by channels
};

}  // namespace

OfaEntries ofa_entries(const std::vector<TimedLayer>& rows) {
    LayerMeans means = mean_latencies(rows);
    std::vector<TimedLayer> layers;
    for (const auto& [layer, mean] : means.layers) layers.push_back({layer, mean.latency_us, false});
    const EntryMaker maker(layers);
    OfaEntries entries{maker.latencies(), std::move(means.left_out)};
    std::size_t i = 0;
    for (const auto& [layer, mean] : means.layers) {
        const std::string reason = maker.reason(i++);
        for (const std::size_t row : mean.rows) entries.left_out[row] = reason;
    }
    return entries;
}

}  // namespace hacscale::detail
