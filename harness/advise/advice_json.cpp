#include "harness/advise/advice.hpp"
#include "records/device_json.hpp"
#include "records/optional_json.hpp"

namespace hacscale::harness {

namespace {

std::string_view name_of(ExtraKind kind) {
    switch (kind) {
        case ExtraKind::none:
            return "none";
        case ExtraKind::measurable:
            return "measurable";
        case ExtraKind::unclear:
            return "unclear";
        case ExtraKind::unknown:
            break;
    }
    return "unknown";
}

std::string_view name_of(CapacityState state) {
    switch (state) {
        case CapacityState::found:
            return "found";
        case CapacityState::none:
            return "none";
        case CapacityState::unclear:
            return "unclear";
        case CapacityState::unknown:
            break;
    }
    return "unknown";
}

// Latencies are null where a layer is missing, intervals where one is not measured.
Json point_json(const StaircasePoint& point, const Extra& extra) {
    const bool known = extra.kind != ExtraKind::unknown;
    return {{"channels", point.width},
            {"latency_us", point.estimate == EstimateKind::missing ? Json(nullptr) : Json(point.latency_us)},
            {"ci95_us", point.estimate == EstimateKind::measured ? Json(point.ci95_us) : Json(nullptr)},
            {"extra", name_of(extra.kind)},
            {"extra_us", known ? Json(extra.latency_us) : Json(nullptr)},
            {"extra_ci95_us", known ? Json(extra.ci95_us) : Json(nullptr)},
            {"params", point.params},
            {"macs", point.macs},
            {"estimate", hacscale::name_of(point.estimate)},
            {"noisy", point.noisy}};
}

Json wasteful_json(const WastefulWidth& wasteful) {
    return {{"channels", wasteful.width},
            {"after", wasteful.before},
            {"extra_us", wasteful.extra.latency_us},
            {"extra_ci95_us", wasteful.extra.ci95_us},
            {"same_latency_up_to", wasteful.same_latency_up_to}};
}

Json width_json(const WidthAdvice& advice, const std::vector<std::string>& nodes) {
    Json members = Json::array();
    for (const std::size_t index : advice.members) {
        members.push_back(nodes[index]);
    }
    Json readers = Json::array();
    for (const std::size_t index : advice.readers()) {
        readers.push_back(nodes[index]);
    }
    Json points = Json::array();
    for (std::size_t i = 0; i < advice.points.size(); ++i) {
        points.push_back(point_json(advice.points[i], advice.extras[i]));
    }
    Json wasteful = Json::array();
    for (const WastefulWidth& width : advice.wasteful) {
        wasteful.push_back(wasteful_json(width));
    }
    const bool found = advice.state == CapacityState::found;
    return {{"name", advice.name},
            {"layers", std::move(members)},
            {"readers", std::move(readers)},
            {"channels", advice.base_width},
            {"state", name_of(advice.state)},
            {"free_channels", found ? Json(advice.free_width) : Json(nullptr)},
            {"costly_from", value_or_null(advice.costly_from)},
            {"points", std::move(points)},
            {"wasteful", std::move(wasteful)}};
}

Json widths_json(const std::vector<WidthAdvice>& widths, const std::vector<std::string>& nodes) {
    Json list = Json::array();
    for (const WidthAdvice& advice : widths) {
        list.push_back(width_json(advice, nodes));
    }
    return list;
}

Json estimate_or_null(const LatencyEstimate& estimate) {
    return estimate.kind == EstimateKind::missing ? Json(nullptr) : Json(estimate.latency_us);
}

Json layer_json(const LayerAdvice& layer, const CapacityAdvice& capacity) {
    const bool found = layer.state == CapacityState::found;
    return {{"name", layer.name},
            {"key", layer.layer.key()},
            {"width", layer.width ? Json(capacity.widths[*layer.width].name) : Json(nullptr)},
            {"stage", layer.by_stage ? Json(capacity.stages[layer.stage].name) : Json(nullptr)},
            {"channels", layer.layer.out_channels},
            {"state", layer.width ? Json(name_of(layer.state)) : Json("given")},
            {"free_channels", found ? Json(layer.free_channels) : Json(nullptr)},
            {"latency_us", estimate_or_null(layer.estimate)},
            {"free_latency_us", found ? estimate_or_null(layer.free_estimate) : Json(nullptr)},
            {"estimate", hacscale::name_of(layer.estimate.kind)},
            {"noisy", layer.estimate.noisy}};
}

}  // namespace

std::string to_json(const Advice& advice) {
    const CapacityAdvice& capacity = advice.capacity;
    Json layers = Json::array();
    for (const LayerAdvice& layer : capacity.layers) {
        layers.push_back(layer_json(layer, capacity));
    }
    const bool complete = capacity.base.missing_layers == 0;
    return text_of({{"model", advice.model},
                    {"device", device_json(advice.device)},
                    {"batch", advice.state.batch},
                    {"dtype", hacscale::name_of(advice.state.type)},
                    {"cache", hacscale::name_of(advice.state.cache)},
                    {"tolerance", advice.settings.tolerance},
                    {"grid", advice.settings.grid},
                    {"max_width_ratio", advice.settings.max_width_ratio},
                    {"latency_us", complete ? Json(capacity.base.latency_us) : Json(nullptr)},
                    {"layers", std::move(layers)},
                    {"widths", widths_json(capacity.widths, capacity.node_names)},
                    {"stages", widths_json(capacity.stages, capacity.node_names)},
                    {"sentence", sentence(advice)}});
}

}  // namespace hacscale::harness
