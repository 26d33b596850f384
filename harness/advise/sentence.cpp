#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text/lines.hpp"
#include "base/text/wording.hpp"
#include "harness/advise/advice.hpp"
#include "harness/measure/remedy.hpp"

namespace hacscale::harness {

namespace {

constexpr std::size_t max_finds = 3;          // that the sentence names
constexpr std::size_t max_advice_lines = 10;  // of the answer

struct Find {
    std::string name;
    const WidthAdvice* width = nullptr;
};

// What decided for the layers with free capacity, the largest share of free channels first.
std::vector<Find> finds(const CapacityAdvice& capacity) {
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
std::ptrdiff_t layers_in_state(const CapacityAdvice& capacity, CapacityState state) {
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
    const CapacityAdvice& capacity = advice.capacity;
    const std::ptrdiff_t layers = layers_in_state(capacity, CapacityState::found);
    std::vector<std::string> largest;
    for (const Find& find : finds(capacity)) {
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

std::vector<std::string> advice_lines(const Advice& advice, const std::string& model,
                                      const std::filesystem::path& table) {
    const CapacityAdvice& capacity = advice.capacity;
    std::vector<std::string> lines =
        wrapped(fmt::format("{}, batch {}, {}: {}", advice.device.id, advice.state.batch,
                            hacscale::name_of(advice.state.type), sentence(advice)),
                2);
    const auto add = [&lines](const std::string& text) {
        const std::vector<std::string> more = wrapped(text, 4);
        if (lines.size() + more.size() <= max_advice_lines) {
            lines.insert(lines.end(), more.begin(), more.end());
        }
    };
    const Remedy remedy{{model}, table, advice.device, advice.state};
    const std::vector<std::string> widest{"--max-width-ratio", plain_number(advice.settings.max_width_ratio)};
    std::vector<std::string> remedies;
    const auto add_remedy = [&remedies](const std::string& what, const ShellCommand& command) {
        remedies.push_back(what);
        const std::vector<std::string> more = command.lines();
        remedies.insert(remedies.end(), more.begin(), more.end());
    };
    if (layers_in_state(capacity, CapacityState::unclear) > 0) {
        add_remedy("the noisy rows are measured again by", remedy.profile_noisy(widest));
    }
    if (layers_in_state(capacity, CapacityState::unknown) > 0) {
        add_remedy("the missing widths are measured by",
                   remedy.profile({"--min-inner-ratio", "0.5", "--max-inner-ratio",
                                   plain_number(advice.settings.max_width_ratio)}));
    }
    std::vector<std::string> finds_text;
    for (const Find& find : finds(capacity)) {
        const Extra& extra = find.width->extra_at(find.width->free_width);
        finds_text.push_back(fmt::format("  {}: {} -> {} channels, {:+.1f} +- {:.1f} us", find.name,
                                         find.width->base_width, find.width->free_width, extra.latency_us,
                                         extra.ci95_us));
    }
    for (const WidthAdvice& width : capacity.widths) {
        for (const WastefulWidth& wasteful : width.wasteful) {
            if (wasteful.width == width.base_width) {
                finds_text.push_back(
                    fmt::format("  {} wastes time at {} channels: {} take no longer, {} are {} us "
                                "faster",
                                width.name, wasteful.width, wasteful.same_latency_up_to, wasteful.before,
                                plain_number(wasteful.extra.latency_us)));
            }
        }
    }
    for (const std::string& text : finds_text) {
        if (lines.size() + wrapped(text, 4).size() + remedies.size() < max_advice_lines) {
            add(text);
        }
    }
    lines.insert(lines.end(), remedies.begin(), remedies.end());
    return lines;
}

bool has_gaps(const Advice& advice) {
    return layers_in_state(advice.capacity, CapacityState::unknown) > 0 ||
           layers_in_state(advice.capacity, CapacityState::unclear) > 0;
}

}  // namespace hacscale::harness
