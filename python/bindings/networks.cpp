// Networks, as commands take them.
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "base/error.hpp"
#include "bindings/bindings.hpp"
#include "models/formats/onnx/onnx.hpp"
#include "models/formats/onnx_export/onnx_export.hpp"
#include "models/graph/network.hpp"
#include "models/structure/structure.hpp"
#include "models/zoo/find_network.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale::python {

namespace {

using NamedSize = std::tuple<std::string, int, int, int>;  // channels, height, width

std::vector<NamedSize> sizes_of(const Network& network, const std::vector<TensorId>& tensors,
                                const std::vector<std::string>& names, const std::string& called) {
    std::vector<NamedSize> sizes;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const Tensor& tensor = network.graph.tensors[tensors[i]];
        std::string name = i < names.size() ? names[i] : called;
        sizes.emplace_back(std::move(name), tensor.channels, tensor.height, tensor.width);
    }
    return sizes;
}

nb::list layers_of(const Network& network) {
    nb::list layers;
    for (const Node& node : network.graph.nodes) {
        nb::dict layer;
        layer["name"] = node.name;
        layer["key"] = node.layer.key();
        layer["kind"] = std::string(name_of(node.layer.kind));
        const LayerCost cost = cost_of(node.layer, 1, DataType::f32);
        layer["macs"] = cost.macs;
        layer["params"] = cost.params;
        layers.append(layer);
    }
    return layers;
}

nb::list groups_of(const Network& network, const GroupRules& rules) {
    nb::list groups;
    for (const ChannelGroup& group : channel_groups(network.graph, rules)) {
        nb::dict described;
        described["name"] = group.name;
        described["width"] = group.base_width;
        described["multiple"] = group.multiple;
        groups.append(described);
    }
    return groups;
}

}  // namespace

void bind_networks(nb::module_& module) {
    nb::class_<Network>(module, "Network")
        .def_ro("name", &Network::name)
        .def_prop_ro("hash", [](const Network& network) { return network_hash(network); })
        .def_prop_ro("macs", [](const Network& network) { return network.graph.macs(); })
        .def_prop_ro("params", [](const Network& network) { return network.graph.params(); })
        .def_prop_ro("has_weights", [](const Network& network) { return !network.weights.empty(); })
        .def_ro("left_out", &Network::left_out)
        .def_prop_ro("inputs",
                     [](const Network& network) {
                         return sizes_of(network, network.graph.inputs, network.input_names, "input");
                     })
        .def_prop_ro("outputs",
                     [](const Network& network) {
                         return sizes_of(network, network.graph.outputs, network.output_names, "output");
                     })
        .def("layers", &layers_of)
        .def("groups",
             [](const Network& network, bool keep_groups, bool equal_slices) {
                 return groups_of(network, group_rules_of(keep_groups, equal_slices));
             })
        .def("write_onnx", [](const Network& network, const std::filesystem::path& file, std::int64_t opset) {
            const nb::gil_scoped_release unlocked;
            if (network.weights.empty()) {
                throw InputError(network.name + " has no weights to write: networks of the zoo come without");
            }
            onnx::write_file(export_onnx(network, opset), file);
        });
    module.def(
        "read_network",
        [](const std::string& name_or_file, const std::map<std::string, std::vector<std::int64_t>>& shapes) {
            return find_network(name_or_file, shapes);
        },
        nb::call_guard<nb::gil_scoped_release>());
    module.def("zoo_names", &zoo_names);
}

}  // namespace hacscale::python
