// What runs networks on a device. The package calls these in a process of their own (../hacscale/_worker.py).
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings/bindings.hpp"
#include "harness/measure/device_access.hpp"
#include "harness/measure/profile_models.hpp"
#include "harness/measure/verify_models.hpp"
#include "kernels/backend/backend_registry.hpp"
#include "models/graph/network.hpp"
#include "records/json.hpp"
#include "records/verification.hpp"

namespace hacscale::python {

namespace {

MeasureSettings measure_settings(int batch, const std::string& dtype, double seconds) {
    MeasureSettings settings;
    settings.batch = batch;
    settings.type = data_type_from_name(dtype);
    settings.rules.max_seconds = seconds;
    return settings;
}

std::string outcome_json(const harness::ProfileOutcome& outcome) {
    records::Json networks = records::Json::array();
    for (const records::VerifiedModel& one : outcome.verified) {
        networks.push_back(records::verified_json(one));
    }
    return records::text_of({{"measured", outcome.rows.measured},
                             {"reused", outcome.rows.reused},
                             {"noisy", outcome.rows.noisy},
                             {"failed", outcome.rows.failed},
                             {"given_up", outcome.rows.given_up},
                             {"interrupted", outcome.rows.interrupted},
                             {"networks", std::move(networks)}});
}

// `widths` are ratios of the networks' own.
std::string profile(const std::vector<const Network*>& networks, const std::filesystem::path& file,
                    const std::string& device_id, int threads, int batch, const std::string& dtype,
                    double seconds, double minutes, std::optional<std::tuple<double, double>> widths,
                    int nearby_widths, int grid, nb::handle events) {
    const nb::gil_scoped_release unlocked;
    PythonEvents told(events);
    const harness::DeviceAccess device = harness::open_device(device_id, threads, told);
    const DeviceRecord record = device.record();
    const std::unique_ptr<Instruments> instruments = harness::CounterSettings{}.open(device.handle.device);
    harness::ProfileJob job;
    for (const Network* network : networks) {
        job.own_layers.push_back(*network);
    }
    job.nearby_widths = nearby_widths;
    job.nearby_grid = grid;
    if (widths) {
        job.graph_widths =
            GraphWidths{.min_ratio = std::get<0>(*widths), .max_ratio = std::get<1>(*widths), .grid = grid};
    }
    job.measure = measure_settings(batch, dtype, seconds);
    job.measure.instruments = instruments.get();
    job.sweep.max_seconds = 60.0 * minutes;
    Table table = Table::open(file, OpenMode::create, &record);
    const harness::ProfileOutcome outcome =
        harness::profile_models(device.handle, table, std::move(job), told);
    told.rethrow();
    return outcome_json(outcome);
}

std::string verify(const std::vector<const Network*>& networks, const Table& table,
                   const std::string& device_id, int threads, int batch, const std::string& dtype,
                   const std::string& cache, double seconds, nb::handle events) {
    const nb::gil_scoped_release unlocked;
    PythonEvents told(events);
    const harness::DeviceAccess device = harness::open_device(device_id, threads, told);
    harness::check_same_device(table, device);
    std::vector<harness::ModelToVerify> models;
    for (const Network* network : networks) {
        models.push_back({*network, "zoo"});
    }
    std::string answer;
    {
        harness::Progress progress(told);
        const harness::VerifyOutcome outcome = harness::verify_models(
            table, std::move(models), state_of(batch, dtype, cache),
            harness::device_timer(device.handle, table, measure_settings(batch, dtype, seconds),
                                  progress.work_events()),
            told);
        answer = to_json(outcome.report);
    }
    told.rethrow();
    return answer;
}

// Those that can run here; of backends that cannot, why.
nb::list devices() {
    nb::list found;
    const BackendRegistry registry = BackendRegistry::load();
    for (const auto& backend : registry.backends()) {
        for (const BackendDevice& device : registry.devices_of(*backend)) {
            nb::dict described;
            described["id"] = device.id;
            described["name"] = device.name;
            described["fingerprint"] = device.fingerprint;
            described["properties"] = device.properties;
            described["warnings"] = device.warnings;
            found.append(described);
        }
    }
    return found;
}

}  // namespace

void bind_measuring(nb::module_& module) {
    using namespace nb::literals;
    module.def("profile", &profile, "networks"_a, "file"_a, "device_id"_a, "threads"_a, "batch"_a, "dtype"_a,
               "seconds"_a, "minutes"_a, "widths"_a.none(), "nearby_widths"_a, "grid"_a, "events"_a);
    module.def("verify", &verify, "networks"_a, "table"_a, "device_id"_a, "threads"_a, "batch"_a, "dtype"_a,
               "cache"_a, "seconds"_a, "events"_a);
    module.def("devices", &devices);
}

}  // namespace hacscale::python
