#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/advise/advice.hpp"
#include "harness/advise/detail/finds.hpp"

namespace hacscale::harness {

namespace {

constexpr std::size_t max_finds = 3;  // that the sentence names

std::string growth_text(const Find& find) {
    const WidthAdvice& width = *find.width;
    return fmt::format("{} from {} to {} channels ({:+.0f} %)", find.name, width.base_width, width.free_width,
                       100.0 * width.free_width / width.base_width - 100.0);
}

}  // namespace

std::string sentence(const Advice& advice) {
    const CapacityAdvice& capacity = advice.capacity;
    const std::ptrdiff_t layers = layers_in_state(capacity, CapacityState::found);
    std::vector<std::string> largest;
    for (const Find& find : free_widths(capacity)) {
        if (largest.size() < max_finds) {
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

}  // namespace hacscale::harness
