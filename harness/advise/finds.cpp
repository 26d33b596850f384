#include <algorithm>

#include "harness/advise/advice.hpp"
#include "harness/advise/detail/finds.hpp"

namespace hacscale::harness {

std::string name_of_stage(const WidthAdvice& stage) {
    return stage.name + " as a whole";
}

std::string decider_name(const LayerAdvice& layer, const WidthAdvice& decider) {
    return layer.by_stage ? name_of_stage(decider) : decider.name;
}

std::vector<Find> free_widths(const CapacityAdvice& capacity) {
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

std::vector<Find> worthwhile_drops(const CapacityAdvice& capacity) {
    std::vector<Find> found;
    for (const WidthAdvice& width : capacity.widths) {
        if (width.worthwhile_drop) {
            found.push_back({width.name, &width});
        }
    }
    const auto extra_us = [](const Find& find) {
        return find.width->extra_at(*find.width->worthwhile_drop).latency_us;
    };
    std::stable_sort(found.begin(), found.end(),
                     [&](const Find& a, const Find& b) { return extra_us(a) < extra_us(b); });
    return found;
}

std::ptrdiff_t layers_in_state(const CapacityAdvice& capacity, CapacityState state) {
    return std::count_if(capacity.layers.begin(), capacity.layers.end(),
                         [&](const LayerAdvice& layer) { return layer.width && layer.state == state; });
}

}  // namespace hacscale::harness
