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

// The base with one width changed; lowering it throws InputError when that makes no valid model.
using Widening = std::function<ModelSpec(int width)>;

class Advisor {
public:
    Advisor(const Graph& network, const LatencySource& source, const AdviseSettings& settings)
        : nodes_(network.nodes), source_(source), settings_(settings) {}

    WidthAdvice advise(const std::string& name, int base_width, int multiple,
                       const Widening& widening) const {
        WidthAdvice advice;
        advice.name = name;
        advice.base_width = advice.free_width = base_width;
        const auto variants = lowered(candidate_widths(base_width, multiple, settings_), widening);
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

    // Widths at which there is no model, or one of other layers (a shortcut conv comes or goes where two
    // widths happen to meet), are left out.
    Variants lowered(const std::vector<int>& widths, const Widening& widening) const {
        Variants variants;
        for (const int width : widths) {
            try {
                std::vector<Node> nodes = lower(widening(width)).nodes;
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
    Answer(const ModelSpec& base, const LatencySource& source, const AdviseSettings& settings)
        : base_(base), source_(source), network_(lower(base)), advisor_(network_, source, settings) {
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

    CapacityAdvice run() {
        for (const WidthGroup& group : width_groups(base_)) add_width(group);
        for (std::size_t s = 0; s < base_.stages.size(); ++s) add_stage(s);
        return std::move(result_);
    }

    const NetworkEstimate& base_estimate() const { return result_.base; }
    bool knows_nothing() const { return result_.base.missing_layers == std::ssize(network_.nodes); }

private:
    void add_width(const WidthGroup& group) {
        const Widening widening = [&](int width) { return widened(base_, group, width); };
        WidthAdvice advice = advisor_.advise(group.name, group.base_width, group.multiple, widening);
        for_each_member(advice, widening, [&](LayerAdvice& layer, const LayerSpec& wider) {
            layer.width = result_.widths.size();
            decide(layer, advice.state, wider);
        });
        result_.widths.push_back(std::move(advice));
    }

    void add_stage(std::size_t stage) {
        const Widening widening = [&](int width) {
            ScalingChoice choice = choice_of(base_);
            choice.widths[stage] = width;
            return scaled(base_, choice);
        };
        const std::string& given = base_.stages[stage].name;
        const std::string name = given.empty() ? "stage" + std::to_string(stage + 1) : given;
        WidthAdvice advice = advisor_.advise(name, base_.stages[stage].width, 1, widening);
        for_each_member(advice, widening, [&](LayerAdvice& layer, const LayerSpec& wider) {
            if (layer.state != CapacityState::unknown || advice.state == CapacityState::unknown) return;
            layer.by_stage = true;
            layer.stage = stage;
            decide(layer, advice.state, wider);
        });
        result_.stages.push_back(std::move(advice));
    }

    void for_each_member(const WidthAdvice& advice, const Widening& widening,
                         const std::function<void(LayerAdvice&, const LayerSpec&)>& visit) {
        const Graph wider = lower(widening(advice.free_width));
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

    const ModelSpec& base_;
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
    Answer answer(base, source, settings);
    if (answer.knows_nothing()) {
        throw InputError(
            fmt::format("the table has none of the layers of {}, {} among them; profile it first", base.name,
                        answer.base_estimate().first_missing));
    }
    return answer.run();
}

}  // namespace hacscale
