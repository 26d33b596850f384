#include "models/weights/detail/gather.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>

#include "base/error.hpp"
#include "models/ops/operator.hpp"
#include "models/weights/detail/channel_sources.hpp"

namespace hacscale::detail {
namespace {

// The parts that the copies of each source get of what reads it: one for a source alone, else summing up to one.
class Shares {
public:
    // Of the sources [begin, end) of a list.
    Shares(const std::vector<int>& sources, int begin, int end) : share_(at(end - begin), 1.0) {
        std::map<int, std::vector<std::size_t>> places;
        for (int i = begin; i < end; ++i) places[sources[at(i)]].push_back(at(i - begin));
        for (auto& [source, list] : places) {
            if (list.size() > 1) copies_.push_back(std::move(list));
        }
    }

    // New ones each time.
    const std::vector<double>& draw(std::mt19937_64& random, double unevenness) {
        std::uniform_real_distribution<double> uniform(-1.0, 1.0);
        for (const std::vector<std::size_t>& list : copies_) {
            const auto count = static_cast<double>(list.size());
            double mean = 0.0;
            for (const std::size_t place : list) mean += (share_[place] = uniform(random)) / count;
            for (const std::size_t place : list)
                share_[place] = (1.0 + unevenness * (share_[place] - mean)) / count;
        }
        return share_;
    }

private:
    std::vector<double> share_;
    std::vector<std::vector<std::size_t>> copies_;
};

std::vector<float> picked(const std::vector<float>& values, const std::vector<int>& sources,
                          std::size_t each = 1) {
    std::vector<float> result;
    if (values.empty()) return result;
    result.reserve(sources.size() * each);
    for (const int source : sources) {
        const auto first = values.begin() + static_cast<std::ptrdiff_t>(at(source) * each);
        result.insert(result.end(), first, first + static_cast<std::ptrdiff_t>(each));
    }
    return result;
}

// Where the weights of a layer that joins channels are: so many numbers in a row for each pair of an output and an input channel.
struct JoiningWeights {
    int groups = 1;
    int in_share = 0;  // channels of a group
    int out_share = 0;
    std::size_t taps = 1;
    bool input_first = false;  // PyTorch's order of transposed convs

    explicit JoiningWeights(const LayerSpec& layer)
        : groups(layer.kind == LayerKind::linear ? 1 : layer.groups),
          in_share(layer.in_channels / groups),
          out_share(layer.out_channels / groups),
          taps(layer.kind == LayerKind::linear ? at(layer.in_height) * at(layer.in_width)
                                               : static_cast<std::size_t>(layer.window.taps())),
          input_first(layer.kind == LayerKind::transposed_conv) {}

    std::size_t place(int out, int in) const {
        const std::size_t pair = input_first ? at(in) * at(out_share) + at(out % out_share)
                                             : at(out) * at(in_share) + at(in % in_share);
        return pair * taps;
    }
};

class Gather {
public:
    explicit Gather(const GatherCall& call) : call_(call), random_(call.seed) {}

    LayerWeights run() {
        switch (call_.layer.kind) {
            case LayerKind::conv:
            case LayerKind::linear:
            case LayerKind::transposed_conv:
                return joining();
            case LayerKind::squeeze_excite:
                return squeeze_excite();
            case LayerKind::map_bias: {
                const std::size_t pixels = at(call_.layer.in_height) * at(call_.layer.in_width);
                return {{}, picked(call_.weights.bias, call_.out, pixels), {}, {}};
            }
            case LayerKind::map_scale: {
                const std::size_t pixels = at(call_.layer.in_height) * at(call_.layer.in_width);
                return {picked(call_.weights.weights, call_.out, pixels), {}, {}, {}};
            }
            case LayerKind::eca:
                return call_.weights;
            default:  // one number a channel, or none
                return {
                    picked(call_.weights.weights, call_.out), picked(call_.weights.bias, call_.out), {}, {}};
        }
    }

private:
    LayerWeights joining() {
        const JoiningWeights before(call_.base.layer);
        const JoiningWeights after(call_.layer);
        LayerWeights result;
        result.weights.resize(call_.out.size() * at(after.in_share) * after.taps);
        for (int group = 0; group < after.groups; ++group) {
            const int first = group * after.in_share;
            Shares shares(call_.in, first, first + after.in_share);
            for (int out = group * after.out_share; out < (group + 1) * after.out_share; ++out) {
                const int base_out = call_.out[at(out)];
                const std::vector<double>& share = shares.draw(random_, call_.unevenness);
                for (int in = first; in < first + after.in_share; ++in) {
                    const int base_in = call_.in[at(in)];
                    if (base_in / before.in_share != base_out / before.out_share) refuse(in, out);
                    const float* const from = &call_.weights.weights[before.place(base_out, base_in)];
                    float* const to = &result.weights[after.place(out, in)];
                    for (std::size_t tap = 0; tap < after.taps; ++tap) {
                        to[tap] = static_cast<float>(share[at(in - first)] * static_cast<double>(from[tap]));
                    }
                }
            }
        }
        result.bias = picked(call_.weights.bias, call_.out);
        return result;
    }

    [[noreturn]] void refuse(int in, int out) const {
        throw InputError(
            fmt::format("{}: output channel {} would read input channel {}, which another group of the "
                        "base's layer {} reads",
                        call_.base.name, out, in, call_.base.layer.key()));
    }

    LayerWeights squeeze_excite() {
        const std::vector<int> hidden = hidden_sources();
        const int channels = call_.base.layer.in_channels;
        const int squeezed = call_.base.layer.squeeze_channels;
        LayerWeights result;
        Shares of_channels(call_.in, 0, static_cast<int>(call_.in.size()));
        for (const int row : hidden) {
            const std::vector<double>& share = of_channels.draw(random_, call_.unevenness);
            for (std::size_t c = 0; c < call_.in.size(); ++c) {
                const float weight = call_.weights.weights[at(row) * at(channels) + at(call_.in[c])];
                result.weights.push_back(static_cast<float>(share[c] * static_cast<double>(weight)));
            }
        }
        result.bias = picked(call_.weights.bias, hidden);
        Shares of_hidden(hidden, 0, static_cast<int>(hidden.size()));
        for (const int channel : call_.out) {
            const std::vector<double>& share = of_hidden.draw(random_, call_.unevenness);
            for (std::size_t h = 0; h < hidden.size(); ++h) {
                const float weight = call_.weights.weights2[at(channel) * at(squeezed) + at(hidden[h])];
                result.weights2.push_back(static_cast<float>(share[h] * static_cast<double>(weight)));
            }
        }
        result.bias2 = picked(call_.weights.bias2, call_.out);
        return result;
    }

    // Of the numbers between the two products: the largest ones stay, or each has as many copies as all others, but one.
    std::vector<int> hidden_sources() const {
        const int before = call_.base.layer.squeeze_channels;
        const int after = call_.layer.squeeze_channels;
        std::vector<int> sources(at(before));
        std::iota(sources.begin(), sources.end(), 0);
        for (int i = before; i < after; ++i) sources.push_back(i % before);
        if (after >= before) return sources;
        const int channels = call_.base.layer.in_channels;
        const auto size = [&](int row) {
            double sum = 0.0;
            for (int c = 0; c < channels; ++c) {
                sum += std::abs(static_cast<double>(call_.weights.weights[at(row) * at(channels) + at(c)])) *
                       std::abs(static_cast<double>(call_.weights.weights2[at(c) * at(before) + at(row)]));
            }
            return sum;
        };
        std::ranges::stable_sort(sources, std::ranges::greater(), size);
        sources.resize(at(after));
        std::ranges::sort(sources);
        return sources;
    }

    const GatherCall& call_;
    std::mt19937_64 random_;
};

}  // namespace

LayerWeights gathered(const GatherCall& call) {
    return Gather(call).run();
}

std::optional<std::string> inexact_reason(const GatherCall& call) {
    const LayerSpec& layer = call.layer;
    const int channels = call.base.layer.in_channels;
    if (copies_of(call.in, 0, call.in.size(), 0, channels).least == 0) return std::nullopt;
    const bool norm = layer.kind == LayerKind::layer_norm || layer.kind == LayerKind::group_norm ||
                      layer.kind == LayerKind::grn;
    if (norm) {
        const int groups = layer.kind == LayerKind::group_norm ? layer.groups : 1;
        const int base_groups = layer.kind == LayerKind::group_norm ? call.base.layer.groups : 1;
        const int share = layer.in_channels / groups;
        const int base_share = call.base.layer.in_channels / base_groups;
        for (int group = 0; group < groups; ++group) {
            const int first = group * share;
            const int base_first = call.in[at(first)] / base_share * base_share;
            const CopyCounts copies =
                copies_of(call.in, at(first), at(first + share), base_first, base_share);
            if (copies.least == copies.most) continue;
            return fmt::format("its statistics count channels {} to {} times", copies.least, copies.most);
        }
    }
    if (layer.kind == LayerKind::eca) {
        const int reach = layer.window.kernel[1] / 2;
        const auto channel = [](const std::vector<int>* list, int count, int c) {
            if (c < 0 || c >= count) return -1;
            return list == nullptr ? c : (*list)[at(c)];
        };
        for (int c = 0; c < layer.in_channels; ++c) {
            for (int near = -reach; near <= reach; ++near) {
                if (channel(&call.in, layer.in_channels, c + near) ==
                    channel(nullptr, channels, call.in[at(c)] + near)) {
                    continue;
                }
                return "channels have other neighbours, which its gate is computed from";
            }
        }
    }
    return std::nullopt;
}

}  // namespace hacscale::detail
