// Tables of measured layers, for reading.
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <filesystem>
#include <map>
#include <string>
#include <variant>

#include "bindings/bindings.hpp"
#include "harness/measure/table_view.hpp"
#include "models/graph/network.hpp"
#include "profiler/table/columns.hpp"
#include "profiler/table/export.hpp"
#include "profiler/table/table.hpp"

#include <sstream>

namespace hacscale::python {

namespace {

// All rows with what follows from them, as `table export --format json` writes them.
std::string rows_json(const Table& table) {
    std::ostringstream text;
    write_json(table, {}, text);
    return text.str();
}

nb::dict device_of(const Table& table) {
    const DeviceRecord device = table.device();
    nb::dict described;
    described["id"] = device.id;
    described["name"] = device.name;
    described["fingerprint"] = device.fingerprint;
    described["properties"] = device.properties;
    return described;
}

nb::dict latency_of(const Table& table, const Network& network, const MeasuredState& state) {
    const harness::TableView view(table, network.graph, state);
    const NetworkEstimate estimate = view.base_estimate();
    nb::dict described;
    described["latency_us"] = estimate.latency_us;
    described["interpolated_layers"] = estimate.interpolated_layers;
    described["missing_layers"] = estimate.missing_layers;
    described["first_missing"] = estimate.first_missing;
    return described;
}

}  // namespace

void bind_tables(nb::module_& module) {
    nb::class_<Table>(module, "Table")
        .def("rows_json", &rows_json, nb::call_guard<nb::gil_scoped_release>())
        .def("arrow_stream", &arrow_stream)
        .def("device", &device_of)
        .def("__len__", &Table::size)
        .def("latency", [](const Table& table, const Network& network, int batch, const std::string& dtype,
                           const std::string& cache) {
            return latency_of(table, network, state_of(batch, dtype, cache));
        });
    module.def("open_table",
               [](const std::filesystem::path& file) { return Table::open(file, OpenMode::read); });
}

}  // namespace hacscale::python
