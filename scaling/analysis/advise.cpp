#include "scaling/analysis/advise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <numeric>
#include <utility>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"
#include "models/stages/scaled_model.hpp"
#include "models/structure/structure.hpp"

namespace hacscale {
namespace {

constexpr int largest_width = 65536;  // as ModelSpec allows

void check(const AdviseSettings& settings) {
    if (!(settings.tolerance > 0.0 && settings.tolerance <= 1.0)) {
        throw InputError(
            fmt::format("the tolerance is {}, expected more than 0 and at most 1", settings.tolerance));
    }
    if (settings.grid < 1 || settings.grid > 1024) {
        throw InputError(fmt::format("the width grid is {}, expected 1 to 1024 channels", settings.grid));
    }
    if (!(settings.max_width_ratio >= 1.0 && settings.max_width_ratio <= 16.0)) {
        throw InputError(
            fmt::format("the largest width ratio is {}, expected 1 to 16", settings.max_width_ratio));
    }
}

std::vector<int> candidate_widths(int base_width, int multiple, const AdviseSettings& settings) {
    const int step = std::lcm(settings.grid, multiple);
    const double most = std::min<double>(base_width * settings.max_width_ratio, largest_width);
    std::vector<int> widths;
    for (int width = step; width <= most; width += step) {
        if (2 * width >= base_width && width != base_width) widths.push_back(width);
    }
    widths.insert(std::upper_bound(widths.begin(), widths.end(), base_width), base_width);
    return widths;
}

bool same_layers(const std::vector<Node>& a, const std::vector<Node>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const Node& x, const Node& y) { return x.name == y.name; });
}

// A width that can be chosen, alone or with those derived from it.
struct Choosable {
    std::string name;
    int base_width = 0;
    int multiple = 1;
    std::function<Graph(int width)> widened;  // throws InputError where that makes no network
};

class Advisor {
public:
    Advisor(const Graph& network, const LatencySource& source, const AdviseSettings& settings)
        : nodes_(network.nodes), source_(source), settings_(settings) {}

    WidthAdvice advise(const Choosable& choosable) const {
        WidthAdvice advice;
        advice.name = choosable.name;
        advice.base_width = advice.free_width = choosable.base_width;
        const Variants variants = variants_of(choosable);
        find_layers(variants, advice);
        for (const auto& [width, nodes] : variants) {
            std::vector<const Node*> summed;
            for (const std::size_t index : advice.touched) summed.push_back(&nodes[index]);
            advice.points.push_back(sum_of(width, summed, source_));
        }
        judge(advice);
        return advice;
    }

private:
    using Variants = std::vector<std::pair<int, std::vector<Node>>>;

    // Widths at which there is no network, or one of other layers (a shortcut conv comes or goes where two
    // widths happen to meet), are left out.
    Variants variants_of(const Choosable& choosable) const {
        Variants variants;
        for (const int width : candidate_widths(choosable.base_width, choosable.multiple, settings_)) {
            try {
                std::vector<Node> nodes = choosable.widened(width).nodes;
                if (same_layers(nodes, nodes_)) variants.emplace_back(width, std::move(nodes));
            } catch (const InputError&) {
                continue;
            }
        }
        return variants;
    }

    void find_layers(const Variants& variants, WidthAdvice& advice) const {
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            const auto differs = [&](const auto& of) {
                return std::any_of(variants.begin(), variants.end(), [&](const auto& variant) {
                    return of(variant.second[i].layer) != of(nodes_[i].layer);
                });
            };
            if (differs(std::identity{})) advice.touched.push_back(i);
            if (differs([](const LayerSpec& layer) { return layer.out_channels; })) {
                advice.members.push_back(i);
            }
        }
    }

    void judge(WidthAdvice& advice) const {
        const StaircasePoint base = advice.at(advice.base_width);
        for (const StaircasePoint& point : advice.points) {
            advice.extras.push_back(extra_of(base, point, settings_.tolerance));
        }
        advice.free_width = free_width(advice.points, advice.base_width, settings_.tolerance);
        advice.worthwhile_drop = worthwhile_drop(advice.points, advice.base_width, settings_.tolerance);
        advice.wasteful = wasteful_widths(advice.points, settings_.tolerance);
        bool unclear = false;
        bool measured = false;
        for (std::size_t i = 0; i < advice.points.size(); ++i) {
            if (advice.points[i].width <= advice.base_width) continue;
            const ExtraKind kind = advice.extras[i].kind;
            unclear = unclear || kind == ExtraKind::unclear;
            measured = measured || kind != ExtraKind::unknown;
            const bool beyond = advice.points[i].width > advice.free_width;
            if (beyond && kind == ExtraKind::measurable && !advice.costly_from) {
                advice.costly_from = advice.points[i].width;
            }
        }
        if (advice.free_width > advice.base_width) {
            advice.state = CapacityState::found;
        } else if (measured) {
            advice.state = unclear ? CapacityState::unclear : CapacityState::none;
        }
    }

    const std::vector<Node>& nodes_;
    const LatencySource& source_;
    AdviseSettings settings_;
};

// The answer, built up by one width after another.
class Answer {
public:
    Answer(Graph network, const LatencySource& source, const AdviseSettings& settings)
        : source_(source), network_(std::move(network)), advisor_(network_, source, settings) {
        result_.base = estimate(network_, source);
        for (const Node& node : network_.nodes) {
            result_.node_names.push_back(node.name);
            const bool listed = node.layer.kind == LayerKind::conv || node.layer.kind == LayerKind::linear;
            place_of_node_.push_back(listed ? std::optional(result_.layers.size()) : std::nullopt);
            if (!listed) continue;
            LayerAdvice& layer = result_.layers.emplace_back();
            layer.name = node.name;
            layer.layer = node.layer;
            layer.estimate = layer.free_estimate = source_.estimate(node.layer);
            layer.free_channels = node.layer.out_channels;
        }
    }

    // Throws InputError when no layer of the network is known.
    void check_known(const std::string& name) const {
        if (result_.base.missing_layers != std::ssize(network_.nodes)) return;
        throw InputError(
            fmt::format("the table has none of the layers of {}, {} among them; profile it first", name,
                        result_.base.first_missing));
    }

    void add_width(const Choosable& width) {
        WidthAdvice advice = advisor_.advise(width);
        for_each_member(advice, width, [&](LayerAdvice& layer, const LayerSpec& wider) {
            layer.width = result_.widths.size();
            decide(layer, advice.state, wider);
        });
        result_.widths.push_back(std::move(advice));
    }

    // After all widths.
    void add_stage(const Choosable& stage) {
        WidthAdvice advice = advisor_.advise(stage);
        for_each_member(advice, stage, [&](LayerAdvice& layer, const LayerSpec& wider) {
            if (layer.state != CapacityState::unknown || advice.state == CapacityState::unknown) return;
            layer.by_stage = true;
            layer.stage = result_.stages.size();
            decide(layer, advice.state, wider);
        });
        result_.stages.push_back(std::move(advice));
    }

    CapacityAdvice take() { return std::move(result_); }

private:
    void for_each_member(const WidthAdvice& advice, const Choosable& choosable,
                         const std::function<void(LayerAdvice&, const LayerSpec&)>& visit) {
        const Graph wider = choosable.widened(advice.free_width);
        for (const std::size_t index : advice.members) {
            if (place_of_node_[index]) {
                visit(result_.layers[*place_of_node_[index]], wider.nodes[index].layer);
            }
        }
    }

    void decide(LayerAdvice& layer, CapacityState state, const LayerSpec& wider) const {
        layer.state = state;
        layer.free_channels = wider.out_channels;
        layer.free_estimate = source_.estimate(wider);
    }

    const LatencySource& source_;
    Graph network_;
    Advisor advisor_;
    CapacityAdvice result_;
    std::vector<std::optional<std::size_t>> place_of_node_;  // in result_.layers
};

}  // namespace

std::vector<std::size_t> WidthAdvice::readers() const {
    std::vector<std::size_t> result;
    std::set_difference(touched.begin(), touched.end(), members.begin(), members.end(),
                        std::back_inserter(result));
    return result;
}

const StaircasePoint& WidthAdvice::at(int width) const {
    return *std::find_if(points.begin(), points.end(),
                         [&](const auto& point) { return point.width == width; });
}

const Extra& WidthAdvice::extra_at(int width) const {
    return extras[static_cast<std::size_t>(&at(width) - points.data())];
}

const WidthAdvice* CapacityAdvice::decider(const LayerAdvice& layer) const {
    if (layer.by_stage) return &stages[layer.stage];
    return layer.width ? &widths[*layer.width] : nullptr;
}

CapacityAdvice advise(const ModelSpec& base, const LatencySource& source, const AdviseSettings& settings) {
    check(settings);
    Answer answer(lower(base), source, settings);
    answer.check_known(base.name);
    for (const WidthGroup& group : width_groups(base)) {
        answer.add_width({group.name, group.base_width, group.multiple,
                          [&](int width) { return lower(widened(base, group, width)); }});
    }
    for (std::size_t s = 0; s < base.stages.size(); ++s) {
        const std::string& given = base.stages[s].name;
        answer.add_stage({given.empty() ? "stage" + std::to_string(s + 1) : given, base.stages[s].width, 1,
                          [&base, s](int width) {
                              ScalingChoice choice = choice_of(base);
                              choice.widths[s] = width;
                              return lower(detail::scaled_part(base, choice));
                          }});
    }
    return answer.take();
}

CapacityAdvice advise(const std::string& name, const Graph& network, const LatencySource& source,
                      const AdviseSettings& settings) {
    check(settings);
    Answer answer(network, source, settings);
    answer.check_known(name);
    for (const ChannelGroup& group : channel_groups(network)) {
        answer.add_width({group.name, group.base_width, group.multiple,
                          [&](int width) { return widened(network, group, width); }});
    }
    return answer.take();
}

}  // namespace hacscale
