#include <fmt/format.h>

#include <set>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "profiler/table/import/import.hpp"

#include <nlohmann/json.hpp>

namespace hacscale {

DeviceRecord imported_device(const std::string& name, const std::string& software) {
    if (name.empty()) {
        throw InputError(
            "rows that were measured elsewhere need the name of their device; give --device-name, or a "
            "column or key 'device'");
    }
    nlohmann::ordered_json properties{{"imported", true}, {"device", name}};
    if (!software.empty()) properties["software"] = software;
    return {std::string(imported_device_id), name, hex_hash(fmt::format("imported\n{}\n{}", name, software)),
            properties.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
}

std::vector<LayerSpec> detail::forms_of(const LayerSpec& plain, const ImportSettings& settings) {
    if (settings.networks.empty()) return {plain};
    std::set<LayerSpec> forms;
    for (const Graph& network : settings.networks) {
        for (const Node& node : network.nodes) {
            const LayerSpec& like = node.layer;
            const bool same = like.kind == LayerKind::conv && like.in_height == plain.in_height &&
                              like.in_width == plain.in_width && like.depthwise() == plain.depthwise() &&
                              (like.depthwise() || like.groups == plain.groups) &&
                              like.window.kernel == plain.window.kernel &&
                              like.window.strides == plain.window.strides &&
                              like.window.dilations == plain.window.dilations;
            if (!same) continue;
            LayerSpec form = like;
            form.in_channels = plain.in_channels;
            form.out_channels = plain.out_channels;
            form.groups = plain.groups;
            form.layout = plain.layout;
            forms.insert(form);
        }
    }
    return {forms.begin(), forms.end()};
}

}  // namespace hacscale
