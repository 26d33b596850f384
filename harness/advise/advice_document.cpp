#include <fmt/format.h>

#include <algorithm>

#include "base/text/wording.hpp"
#include "harness/advise/advice.hpp"
#include "report/document/document.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::harness {

namespace {

using report::Cell;
using report::integer_cell;
using report::number_cell;
using report::text_cell;

std::string one_decimal(double value) {
    return fmt::format("{:.1f}", value);
}

Cell latency_cell(double latency_us, EstimateKind kind) {
    return number_cell(kind == EstimateKind::missing ? std::nullopt : std::optional(latency_us), one_decimal);
}

Cell extra_cell(const Extra& extra) {
    if (extra.kind == ExtraKind::unknown) {
        return number_cell(std::nullopt, one_decimal);
    }
    return number_cell(extra.latency_us, [&](double latency_us) {
        return fmt::format("{:+.1f} ± {:.1f}", latency_us, extra.ci95_us);
    });
}

std::string percent(double ratio) {
    return fmt::format("{:+.0f} %", 100.0 * ratio);
}

Cell free_cell(CapacityState state, int free_width) {
    switch (state) {
        case CapacityState::found:
            return integer_cell(free_width);
        case CapacityState::none:
            return text_cell("none");
        case CapacityState::unclear:
            return text_cell("unclear");
        case CapacityState::unknown:
            break;
    }
    return text_cell("not measured");
}

std::string measured_share(const WidthAdvice& advice) {
    const auto wider = [&](const StaircasePoint& point) { return point.width > advice.base_width; };
    const auto measured = [&](const StaircasePoint& point) {
        return wider(point) && point.estimate == EstimateKind::measured;
    };
    return fmt::format("{} of {}", std::count_if(advice.points.begin(), advice.points.end(), measured),
                       std::count_if(advice.points.begin(), advice.points.end(), wider));
}

// What weakens a point, in a word; empty where nothing does.
std::string weakness(EstimateKind kind, bool noisy) {
    return kind != EstimateKind::measured ? std::string(name_of(kind)) : noisy ? "noisy" : "";
}

std::string note(const WidthAdvice& advice) {
    const StaircasePoint& base = advice.at(advice.base_width);
    std::string text = weakness(base.estimate, base.noisy || advice.at(advice.free_width).noisy);
    const bool wasteful = std::any_of(advice.wasteful.begin(), advice.wasteful.end(),
                                      [&](const auto& width) { return width.width == advice.base_width; });
    if (wasteful) {
        text += text.empty() ? "just past an edge" : ", just past an edge";
    }
    return text;
}

// ---- The tables ----

report::Table widths_table(const std::string& caption, const std::vector<WidthAdvice>& widths) {
    report::Table table;
    table.caption = caption;
    table.columns = {{"Width", "width", false},       {"Layers", "layers"},
                     {"Channels", "channels"},        {"Free up to", "free_channels"},
                     {"Costly from", "costly_from"},  {"Worth dropping to", "worthwhile_drop"},
                     {"Latency, us", "latency_us"},   {"Extra, us", "extra_us"},
                     {"More params", "extra_params"}, {"Measured", "measured"},
                     {"Note", "note", false}};
    for (const WidthAdvice& advice : widths) {
        const StaircasePoint& base = advice.at(advice.base_width);
        const bool found = advice.state == CapacityState::found;
        const StaircasePoint& free = advice.at(advice.free_width);
        table.rows.push_back(
            {{text_cell(advice.name), integer_cell(static_cast<int>(advice.members.size())),
              integer_cell(advice.base_width), free_cell(advice.state, advice.free_width),
              integer_cell(advice.costly_from), integer_cell(advice.worthwhile_drop),
              latency_cell(base.latency_us, base.estimate),
              extra_cell(found ? advice.extra_at(advice.free_width) : Extra{}),
              number_cell(
                  found ? std::optional(static_cast<double>(free.params - base.params)) : std::nullopt,
                  [](double params) { return fmt::format("{:.0f}", params); }),
              text_cell(measured_share(advice)), text_cell(note(advice))},
             report::RowMark::none});
    }
    return table;
}

struct NamedAdvice {
    std::string name;
    const WidthAdvice& advice;
};

// Widths that can be chosen alone, then stages.
std::vector<NamedAdvice> all_of(const CapacityAdvice& capacity) {
    std::vector<NamedAdvice> all;
    for (const WidthAdvice& width : capacity.widths) {
        all.push_back({width.name, width});
    }
    for (const WidthAdvice& stage : capacity.stages) {
        all.push_back({name_of_stage(stage), stage});
    }
    return all;
}

report::Table wasteful_table(const CapacityAdvice& capacity) {
    report::Table table;
    table.caption =
        "Each costs measurably more than the measured count before it, and no less than a wider one. Extra "
        "is "
        "over the count before.";
    table.columns = {{"Width", "width", false}, {"Channels", "channels"},
                     {"After", "after"},        {"Extra, us", "extra_us"},
                     {"Extra", "extra_ratio"},  {"As fast up to", "same_latency_up_to"},
                     {"Note", "note", false}};
    for (const auto& [name, advice] : all_of(capacity)) {
        for (const WastefulWidth& wasteful : advice.wasteful) {
            const bool noisy = advice.at(wasteful.width).noisy || advice.at(wasteful.before).noisy;
            std::string note = noisy ? "noisy" : "";
            if (wasteful.width == advice.base_width) {
                note += note.empty() ? "the base" : ", the base";
            }
            table.rows.push_back(
                {{text_cell(name), integer_cell(wasteful.width), integer_cell(wasteful.before),
                  extra_cell(wasteful.extra),
                  number_cell(wasteful.extra.latency_us / advice.at(wasteful.before).latency_us, percent),
                  integer_cell(wasteful.same_latency_up_to), text_cell(note)},
                 report::RowMark::none});
        }
    }
    return table;
}

report::Table layers_table(const CapacityAdvice& capacity) {
    report::Table table;
    table.caption =
        "Channels are those a layer puts out. Where its width was not measured alone, the stage as a whole "
        "decides. Latencies are the layer's own; the tables below have those of all layers that change with "
        "it.";
    table.columns = {{"Layer", "layer", false},     {"Width", "width", false},
                     {"Channels", "channels"},      {"Free up to", "free_channels"},
                     {"Latency, us", "latency_us"}, {"At free count, us", "free_latency_us"},
                     {"Note", "note", false}};
    for (const LayerAdvice& layer : capacity.layers) {
        const WidthAdvice* decider = capacity.decider(layer);
        const bool found = layer.state == CapacityState::found;
        table.rows.push_back(
            {{text_cell(layer.name), text_cell(decider != nullptr ? decider_name(layer, *decider) : ""),
              integer_cell(layer.layer.out_channels),
              decider != nullptr ? free_cell(layer.state, layer.free_channels) : text_cell("given"),
              latency_cell(layer.estimate.latency_us, layer.estimate.kind),
              latency_cell(layer.free_estimate.latency_us,
                           found ? layer.free_estimate.kind : EstimateKind::missing),
              text_cell(weakness(layer.estimate.kind, layer.estimate.noisy))},
             report::RowMark::none});
    }
    return table;
}

report::Table points_table(const CapacityAdvice& capacity) {
    report::Table table;
    table.caption = "Every count looked at";
    table.folded = true;
    table.columns = {{"Width", "width", false},
                     {"Channels", "channels"},
                     {"Latency, us", "latency_us"},
                     {"Extra, us", "extra_us"},
                     {"Note", "note", false}};
    for (const auto& [name, advice] : all_of(capacity)) {
        for (std::size_t i = 0; i < advice.points.size(); ++i) {
            const StaircasePoint& point = advice.points[i];
            table.rows.push_back(
                {{text_cell(name), integer_cell(point.width), latency_cell(point.latency_us, point.estimate),
                  extra_cell(advice.extras[i]), text_cell(weakness(point.estimate, point.noisy))},
                 report::RowMark::none});
        }
    }
    return table;
}

report::Section wasteful_section(const CapacityAdvice& capacity) {
    report::Section section{"wasteful", "Wasteful counts, just past an edge", {}, {}};
    report::Table table = wasteful_table(capacity);
    if (table.rows.empty()) {
        section.parts.push_back(report::Paragraph{"None among the counts that are measured."});
    } else {
        section.parts.push_back(std::move(table));
    }
    return section;
}

}  // namespace

report::Document advice_document(const Advice& advice) {
    const CapacityAdvice& capacity = advice.capacity;
    report::Document document;
    document.title = "Free capacity of " + advice.model;
    document.subtitle = fmt::format(
        "{}, batch {}, {}, cache state {}. Counts are multiples of {}, up to {} times the base's; a count "
        "is free when its "
        "extra latency is at most {} % and its interval leaves no room for more than {} %. Only measured "
        "rows count.",
        advice.device.name, advice.state.batch, name_of(advice.state.type), name_of(advice.state.cache),
        advice.settings.grid, plain_number(advice.settings.max_width_ratio),
        plain_number(100.0 * advice.settings.tolerance), plain_number(300.0 * advice.settings.tolerance));
    document.sections = {
        {"layers", "Layer by layer", {layers_table(capacity)}, {}},
        {"widths",
         "Widths that can be chosen alone",
         {widths_table(
             "Layers that share a width are widened together, everything else stays. Latency is that of "
             "these layers and all that read them.",
             capacity.widths)},
         {}},
        wasteful_section(capacity),
        {"points", "All counts", {points_table(capacity)}, {}},
        {"sentence", "In short", {report::Paragraph{sentence(advice)}}, {}}};
    if (!capacity.stages.empty()) {
        const report::Section stages{
            "stages",
            "Stages as a whole",
            {widths_table(
                "As \"hacscale scale\" widens a stage: inner widths, and the stem or the head, follow.",
                capacity.stages)},
            {}};
        document.sections.insert(document.sections.begin() + 3, stages);
    }
    return document;
}

}  // namespace hacscale::harness
