#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/advice/advice.hpp"

namespace hacscale::cli {

namespace {

constexpr std::size_t most_finds = 3;  // that the sentence names

struct Find {
    std::string name;
    const WidthAdvice* width = nullptr;
};

// What decided for the layers with free capacity, the largest share of free channels first.
std::vector<Find> finds(const FreeCapacity& capacity) {
    std::vector<Find> found;
    for (const LayerAdvice& layer : capacity.layers) {
        if (layer.state != CapacityState::found) {
            continue;
        }
        const WidthAdvice* decider = capacity.decider(layer);
        const bool is_new = std::none_of(found.begin(), found.end(),
                                         [&](const Find& known) { return known.width == decider; });
        if (is_new) {
            found.push_back({decider_name(layer, *decider), decider});
        }
    }
    const auto share = [](const WidthAdvice& width) {
        return static_cast<double>(width.free_width) / width.base_width;
    };
    std::stable_sort(found.begin(), found.end(),
                     [&](const Find& a, const Find& b) { return share(*a.width) > share(*b.width); });
    return found;
}

std::string growth_text(const Find& find) {
    const WidthAdvice& width = *find.width;
    return fmt::format("{} from {} to {} channels ({:+.0f} %)", find.name, width.base_width, width.free_width,
                       100.0 * width.free_width / width.base_width - 100.0);
}

// Of the layers whose channels can be chosen.
std::ptrdiff_t layers_in_state(const FreeCapacity& capacity, CapacityState state) {
    return std::count_if(capacity.layers.begin(), capacity.layers.end(),
                         [&](const LayerAdvice& layer) { return layer.width && layer.state == state; });
}

}  // namespace

std::string name_of_stage(const WidthAdvice& stage) {
    return stage.name + " as a whole";
}

std::string decider_name(const LayerAdvice& layer, const WidthAdvice& decider) {
    return layer.by_stage ? name_of_stage(decider) : decider.name;
}

std::string sentence(const Advice& advice) {
    const FreeCapacity& capacity = advice.capacity;
    const std::ptrdiff_t layers = layers_in_state(capacity, CapacityState::found);
    std::vector<std::string> largest;
    for (const Find& find : finds(capacity)) {
        if (largest.size() < most_finds) {
            largest.push_back(growth_text(find));
        }
    }
    std::string text = fmt::format("{} of the {} layers of {} {} free capacity", layers,
                                   capacity.layers.size(), advice.model, layers == 1 ? "has" : "have");
    if (!largest.empty()) {
        text += fmt::format(", most of all {}", fmt::join(largest, ", "));
    }
    const std::ptrdiff_t unknown = layers_in_state(capacity, CapacityState::unknown);
    const std::ptrdiff_t unclear = layers_in_state(capacity, CapacityState::unclear);
    if (unknown > 0) {
        text += fmt::format("; for {} it is not known, since nothing wider is measured", unknown);
    }
    if (unclear > 0) {
        text += fmt::format("; for {} the rows are too noisy to tell", unclear);
    }
    return text + ".";
}

bool has_gaps(const Advice& advice) {
    return layers_in_state(advice.capacity, CapacityState::unknown) > 0 ||
           layers_in_state(advice.capacity, CapacityState::unclear) > 0;
}

}  // namespace hacscale::cli
