#include "harness/advise/advice.hpp"
#include "records/json.hpp"

namespace hacscale::harness {

namespace {

std::string_view extra_name(ExtraKind kind) {
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

std::string_view state_name(CapacityState state) {
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
records::Json point_json(const StaircasePoint& point, const Extra& extra) {
    const bool known = extra.kind != ExtraKind::unknown;
    return {{"channels", point.width},
            {"latency_us", point.estimate == EstimateKind::missing ? records::Json(nullptr)
                                                                   : records::Json(point.latency_us)},
            {"ci95_us", point.estimate == EstimateKind::measured ? records::Json(point.ci95_us)
                                                                 : records::Json(nullptr)},
            {"extra", extra_name(extra.kind)},
            {"extra_us", known ? records::Json(extra.latency_us) : records::Json(nullptr)},
            {"extra_ci95_us", known ? records::Json(extra.ci95_us) : records::Json(nullptr)},
            {"params", point.params},
            {"macs", point.macs},
            {"estimate", hacscale::name_of(point.estimate)},
            {"noisy", point.noisy}};
}

records::Json wasteful_json(const WastefulWidth& wasteful) {
    return {{"channels", wasteful.width},
            {"after", wasteful.before},
            {"extra_us", wasteful.extra.latency_us},
            {"extra_ci95_us", wasteful.extra.ci95_us},
            {"same_latency_up_to", wasteful.same_latency_up_to}};
}

records::Json width_json(const WidthAdvice& advice, const std::vector<std::string>& nodes) {
    records::Json members = records::Json::array();
    for (const std::size_t index : advice.members) {
        members.push_back(nodes[index]);
    }
    records::Json readers = records::Json::array();
    for (const std::size_t index : advice.readers()) {
        readers.push_back(nodes[index]);
    }
    records::Json points = records::Json::array();
    for (std::size_t i = 0; i < advice.points.size(); ++i) {
        points.push_back(point_json(advice.points[i], advice.extras[i]));
    }
    records::Json wasteful = records::Json::array();
    for (const WastefulWidth& width : advice.wasteful) {
        wasteful.push_back(wasteful_json(width));
    }
    const bool found = advice.state == CapacityState::found;
    return {{"name", advice.name},
            {"layers", std::move(members)},
            {"readers", std::move(readers)},
            {"channels", advice.base_width},
            {"state", state_name(advice.state)},
            {"free_channels", found ? records::Json(advice.free_width) : records::Json(nullptr)},
            {"costly_from", records::value_or_null(advice.costly_from)},
            {"worthwhile_drop", records::value_or_null(advice.worthwhile_drop)},
            {"points", std::move(points)},
            {"wasteful", std::move(wasteful)}};
}

records::Json widths_json(const std::vector<WidthAdvice>& widths, const std::vector<std::string>& nodes) {
    records::Json list = records::Json::array();
    for (const WidthAdvice& advice : widths) {
        list.push_back(width_json(advice, nodes));
    }
    return list;
}

records::Json estimate_or_null(const LatencyEstimate& estimate) {
    return estimate.kind == EstimateKind::missing ? records::Json(nullptr)
                                                  : records::Json(estimate.latency_us);
}

records::Json layer_json(const LayerAdvice& layer, const CapacityAdvice& capacity) {
    const bool found = layer.state == CapacityState::found;
    return {
        {"name", layer.name},
        {"key", layer.layer.key()},
        {"width", layer.width ? records::Json(capacity.widths[*layer.width].name) : records::Json(nullptr)},
        {"stage", layer.by_stage ? records::Json(capacity.stages[layer.stage].name) : records::Json(nullptr)},
        {"channels", layer.layer.out_channels},
        {"state", layer.width ? records::Json(state_name(layer.state)) : records::Json("given")},
        {"free_channels", found ? records::Json(layer.free_channels) : records::Json(nullptr)},
        {"latency_us", estimate_or_null(layer.estimate)},
        {"free_latency_us", found ? estimate_or_null(layer.free_estimate) : records::Json(nullptr)},
        {"estimate", hacscale::name_of(layer.estimate.kind)},
        {"noisy", layer.estimate.noisy}};
}

records::Json node_json(const LayerEfficiency& node) {
    return {{"name", node.name},
            {"key", node.layer.key()},
            {"latency_us", estimate_or_null(node.estimate)},
            {"estimate", hacscale::name_of(node.estimate.kind)},
            {"utilization", records::value_or_null(node.utilization)},
            {"roofline_efficiency", records::value_or_null(node.roofline_efficiency)}};
}

}  // namespace

std::string to_json(const Advice& advice) {
    const CapacityAdvice& capacity = advice.capacity;
    records::Json layers = records::Json::array();
    for (const LayerAdvice& layer : capacity.layers) {
        layers.push_back(layer_json(layer, capacity));
    }
    records::Json nodes = records::Json::array();
    for (const LayerEfficiency& node : advice.layers) {
        nodes.push_back(node_json(node));
    }
    const bool complete = capacity.base.missing_layers == 0;
    return records::text_of(
        {{"model", advice.model},
         {"device", records::device_json(advice.device)},
         {"batch", advice.state.batch},
         {"dtype", hacscale::name_of(advice.state.type)},
         {"cache", hacscale::name_of(advice.state.cache)},
         {"tolerance", advice.settings.tolerance},
         {"grid", advice.settings.grid},
         {"max_width_ratio", advice.settings.max_width_ratio},
         {"latency_us", complete ? records::Json(capacity.base.latency_us) : records::Json(nullptr)},
         {"nodes", std::move(nodes)},
         {"layers", std::move(layers)},
         {"widths", widths_json(capacity.widths, capacity.node_names)},
         {"stages", widths_json(capacity.stages, capacity.node_names)},
         {"sentence", sentence(advice)}});
}

}  // namespace hacscale::harness
