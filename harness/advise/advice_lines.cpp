#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "base/text/lines.hpp"
#include "base/text/wording.hpp"
#include "harness/advise/advice.hpp"
#include "harness/advise/detail/finds.hpp"

namespace hacscale::harness {

namespace {

constexpr std::size_t max_advice_lines = 10;
constexpr std::size_t max_named = 3;  // layers or widths that a line names
constexpr int nearby_widths = 8;      // counts on either side of a width that the remedy measures

double latency_us(const LayerEfficiency& layer) {
    return layer.estimate.kind == EstimateKind::missing ? 0.0 : layer.estimate.latency_us;
}

// Beyond what the work takes at the device's peak; nothing is known without one.
double wasted_us(const LayerEfficiency& layer) {
    return layer.roofline_efficiency ? latency_us(layer) * std::max(0.0, 1.0 - *layer.roofline_efficiency)
                                     : 0.0;
}

using Figure = std::function<double(const LayerEfficiency&)>;

std::vector<const LayerEfficiency*> greatest(const std::vector<LayerEfficiency>& layers,
                                             const Figure& figure) {
    std::vector<const LayerEfficiency*> sorted;
    for (const LayerEfficiency& layer : layers) {
        if (figure(layer) > 0.0) {
            sorted.push_back(&layer);
        }
    }
    std::stable_sort(sorted.begin(), sorted.end(),
                     [&](const auto* a, const auto* b) { return figure(*a) > figure(*b); });
    return sorted;
}

double sum_us(const std::vector<LayerEfficiency>& layers, const Figure& figure) {
    double sum = 0.0;
    for (const LayerEfficiency& layer : layers) {
        sum += figure(layer);
    }
    return sum;
}

std::string share(double part, double whole) {
    return fmt::format("{:.0f} %", whole > 0.0 ? 100.0 * part / whole : 0.0);
}

std::string head_line(const Advice& advice) {
    const NetworkEstimate& base = advice.capacity.base;
    std::string text = fmt::format("{}, batch {}, {}: {} takes {} in {}", advice.device.id,
                                   advice.state.batch, hacscale::name_of(advice.state.type), advice.model,
                                   latency_text(base.latency_us), counted(advice.layers.size(), "layer"));
    if (base.missing_layers > 0) {
        text += fmt::format(", without {} that the table lacks ({} first)", base.missing_layers,
                            base.first_missing);
    }
    return text;
}

// The slowest layers, then kinds of layers.
std::string time_line(const Advice& advice, std::size_t named) {
    const double total_us = sum_us(advice.layers, latency_us);
    std::vector<std::string> parts;
    for (const LayerEfficiency* layer : greatest(advice.layers, latency_us)) {
        if (parts.size() < named) {
            parts.push_back(fmt::format("{} {}", layer->name, share(latency_us(*layer), total_us)));
        }
    }
    std::map<std::string_view, double> by_kind;
    for (const LayerEfficiency& layer : advice.layers) {
        by_kind[hacscale::name_of(layer.layer.kind)] += latency_us(layer);
    }
    std::vector<std::pair<double, std::string_view>> kinds;
    for (const auto& [kind, time_us] : by_kind) {
        kinds.emplace_back(time_us, kind);
    }
    std::sort(kinds.rbegin(), kinds.rend());
    std::vector<std::string> kind_parts;
    for (const auto& [time_us, kind] : kinds) {
        if (kind_parts.size() < named && time_us >= 0.005 * total_us) {
            kind_parts.push_back(fmt::format("{} {}", kind, share(time_us, total_us)));
        }
    }
    return fmt::format("time: {}; of all {}", fmt::join(parts, ", "), fmt::join(kind_parts, ", "));
}

std::string waste_line(const Advice& advice, std::size_t named) {
    const std::vector<const LayerEfficiency*> layers = greatest(advice.layers, wasted_us);
    if (layers.empty()) {
        return "";
    }
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < std::min(named, layers.size()); ++i) {
        parts.push_back(fmt::format("{} {}", layers[i]->name, latency_text(wasted_us(*layers[i]))));
    }
    return fmt::format("waste: {} of the time is beyond the device's peak; {}",
                       share(sum_us(advice.layers, wasted_us), sum_us(advice.layers, latency_us)),
                       fmt::join(parts, ", "));
}

std::string list_or_none(const std::string& what, const std::vector<std::string>& parts, std::size_t all) {
    if (parts.empty()) {
        return what + ": none";
    }
    const std::string rest = all > parts.size() ? fmt::format("; and {} more", all - parts.size()) : "";
    return fmt::format("{}: {}{}", what, fmt::join(parts, ", "), rest);
}

std::string upwards_line(const CapacityAdvice& capacity, std::size_t named) {
    const std::vector<Find> finds = free_widths(capacity);
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < std::min(named, finds.size()); ++i) {
        const WidthAdvice& width = *finds[i].width;
        const Extra& extra = width.extra_at(width.free_width);
        parts.push_back(fmt::format("{} {} -> {} ({:+.1f} +- {:.1f} us)", finds[i].name, width.base_width,
                                    width.free_width, extra.latency_us, extra.ci95_us));
    }
    return list_or_none("free upwards, channels", parts, finds.size());
}

std::string downwards_line(const CapacityAdvice& capacity, std::size_t named) {
    const std::vector<Find> finds = worthwhile_drops(capacity);
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < std::min(named, finds.size()); ++i) {
        const WidthAdvice& width = *finds[i].width;
        const double extra_us = width.extra_at(*width.worthwhile_drop).latency_us;
        parts.push_back(fmt::format("{} {} -> {} ({:+.1f} us, {:+.0f} % of its layers)", finds[i].name,
                                    width.base_width, *width.worthwhile_drop, extra_us,
                                    100.0 * extra_us / width.at(width.base_width).latency_us));
    }
    return list_or_none("worth dropping, channels", parts, finds.size());
}

std::vector<std::string> remedy_lines(const Advice& advice, const Remedy& remedy) {
    const CapacityAdvice& capacity = advice.capacity;
    const std::string widest = plain_number(advice.settings.max_width_ratio);
    const bool stages = !capacity.stages.empty();
    const std::vector<std::string> nearby{"--nearby-widths", std::to_string(nearby_widths)};
    std::vector<std::string> lines;
    const auto add = [&lines](std::ptrdiff_t layers, const std::string& what, const ShellCommand& command) {
        if (layers == 0) {
            return;
        }
        lines.push_back(fmt::format("{}: {}", counted(static_cast<std::size_t>(layers), "layer"), what));
        const std::vector<std::string> more = command.lines();
        lines.insert(lines.end(), more.begin(), more.end());
    };
    add(layers_in_state(capacity, CapacityState::unclear),
        "the rows are too noisy to tell; measured again by",
        remedy.profile_noisy(stages ? std::vector<std::string>{"--max-width-ratio", widest} : nearby));
    add(layers_in_state(capacity, CapacityState::unknown), "no wider count is measured; they are by",
        remedy.profile(stages
                           ? std::vector<std::string>{"--min-inner-ratio", "0.5", "--max-inner-ratio", widest}
                           : nearby));
    return lines;
}

}  // namespace

std::vector<std::string> advice_lines(const Advice& advice, const Remedy& remedy) {
    const std::vector<std::string> remedies = remedy_lines(advice, remedy);
    std::vector<std::string> lines;
    for (std::size_t named = max_named; named > 0; --named) {
        lines = wrapped(head_line(advice), 2);
        for (const std::string& text :
             {time_line(advice, named), waste_line(advice, named), upwards_line(advice.capacity, named),
              downwards_line(advice.capacity, named)}) {
            const std::vector<std::string> more = wrapped(text, 2);
            lines.insert(lines.end(), more.begin(), more.end());
        }
        lines.insert(lines.end(), remedies.begin(), remedies.end());
        if (lines.size() <= max_advice_lines) {
            break;
        }
    }
    return lines;
}

}  // namespace hacscale::harness
