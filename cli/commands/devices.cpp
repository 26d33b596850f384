// `hacscale devices`: which backends this installation has, which devices they see, and why others cannot
// run.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.hpp"
#include "cli/printing/printing.hpp"
#include "kernels/backend/backend_registry.hpp"
#include "records/json.hpp"

namespace hacscale::cli {

namespace {

const Backend* backend_of(const BackendRegistry& registry, const LoadAttempt& attempt) {
    for (const auto& backend : registry.backends()) {
        if (backend->name() == attempt.backend) {
            return backend.get();
        }
    }
    return nullptr;
}

records::Json json_with_warnings(const BackendDevice& device) {
    records::Json json =
        records::device_json({device.id, device.name, device.fingerprint, device.properties});
    json["warnings"] = device.warnings;
    return json;
}

records::Json backends_json(const BackendRegistry& registry) {
    records::Json backends = records::Json::array();
    for (const LoadAttempt& attempt : registry.attempts()) {
        records::Json devices = records::Json::array();
        if (const Backend* backend = attempt.ready() ? backend_of(registry, attempt) : nullptr) {
            for (const BackendDevice& device : registry.devices_of(*backend)) {
                devices.push_back(json_with_warnings(device));
            }
        }
        backends.push_back({{"name", attempt.backend},
                            {"available", attempt.ready()},
                            {"reason", attempt.reason},
                            {"stage", attempt.stage},
                            {"path", attempt.path.string()},
                            {"devices", std::move(devices)}});
    }
    return backends;
}

void print_backends(std::ostream& out, const records::Json& backends) {
    TextTable table(
        {{"backend", Align::left}, {"device", Align::left}, {"name", Align::left}, {"fingerprint"}});
    for (const records::Json& backend : backends) {
        for (const records::Json& device : backend["devices"]) {
            table.add({backend["name"], device["id"], device["name"], device["fingerprint"]});
        }
    }
    table.print(out);
    std::vector<std::pair<std::string, std::string>> missing;  // why, and whose modules
    for (const records::Json& backend : backends) {
        for (const records::Json& device : backend["devices"]) {
            for (const records::Json& warning : device["warnings"]) {
                out << device["id"].get<std::string>() << ": " << warning.get<std::string>() << '\n';
            }
        }
        if (backend["available"]) continue;
        const std::string name = backend["name"];
        const std::string why = fmt::format("not available ({}): {}", backend["stage"].get<std::string>(),
                                            backend["reason"].get<std::string>());
        const auto same =
            std::find_if(missing.begin(), missing.end(), [&](const auto& one) { return one.first == why; });
        if (same == missing.end()) {
            missing.emplace_back(why, name);
        } else {
            same->second += ", " + name;
        }
    }
    for (const auto& [why, modules] : missing) out << modules << ": " << why << '\n';
}

ExitStatus list_devices(const std::string& only, Session& session) {
    const BackendRegistry registry = BackendRegistry::load(0, only);
    if (!only.empty()) {
        registry.find(only);
    }
    const records::Json backends = backends_json(registry);
    if (session.json) {
        records::print_json(session.out, {{"backends", backends}});
    } else {
        print_backends(session.out, backends);
    }
    const bool any = std::any_of(backends.begin(), backends.end(),
                                 [](const records::Json& backend) { return !backend["devices"].empty(); });
    if (!any) {
        throw MissingError(
            "no backend can run here; the CPU backend needs the package libdnnl2, and its module in "
            "the folder backends/ beside the program");
    }
    return ExitStatus::done;
}

}  // namespace

Run declare_devices(CLI::App& parser) {
    auto device = std::make_shared<std::string>();
    parser.add_option("device", *device, "Only the backend of this device, which has to be here");
    return [device](Session& session) { return list_devices(*device, session); };
}

}  // namespace hacscale::cli
