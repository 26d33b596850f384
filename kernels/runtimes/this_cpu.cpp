#include "kernels/runtimes/this_cpu.hpp"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <thread>

#include "base/hash.hpp"
#include "kernels/backend/dense_conv.hpp"
#include "kernels/host/cpu_description.hpp"
#include "kernels/host/processors.hpp"

namespace hacscale::runtimes {

int measuring_threads() {
    const char* threads = std::getenv("OMP_NUM_THREADS");
    return threads == nullptr ? 1 : std::max(1, std::atoi(threads));
}

namespace {

BackendDevice device_for(const std::string& backend, const std::string& version) {
    const host::CpuDescription& cpu = host::this_cpu();
    nlohmann::ordered_json properties;
    properties["processor"] = cpu.processor;
    properties["cores"] = cpu.cores.size();
    properties["hardware_threads"] = host::logical_processors(cpu.cores);
    properties["threads"] = measuring_threads();
    properties["caches"] = cpu.caches;
    properties[backend] = version;
    BackendDevice device;
    device.id = backend + "@cpu";
    device.threads = measuring_threads();
    device.fingerprint = hex_hash(properties.dump());
    device.name = cpu.processor + " (" + std::to_string(device.threads) +
                  (device.threads == 1 ? " thread, " : " threads, ") + backend + " " + version + ")";
    properties["memory"] = cpu.memory;
    device.properties = properties.dump();
    device.warnings = host::cpu_warnings();
    return device;
}

void stay_on_measuring_processors() {
    const std::vector<int> wanted = host::measuring_processors();
    const std::vector<int> allowed = host::allowed_processors();
    const bool wider = std::any_of(allowed.begin(), allowed.end(), [&](int processor) {
        return std::find(wanted.begin(), wanted.end(), processor) == wanted.end();
    });
    if (wider) host::run_on(wanted);
}

// Those whose weights stay in a core's own cache are the fastest in some runtimes.
std::vector<LayerSpec> dense_layers() {
    return {dense_conv(256, 56, 1), dense_conv(256, 28, 3), dense_conv(128, 16, 3), dense_conv(64, 32, 3),
            dense_conv(64, 8, 3)};
}

double copy_bandwidth() {
    return host::copy_bandwidth([](const std::function<void(int, int)>& work) {
        const host::OnMeasuringProcessors here;
        const int count = measuring_threads();
        std::vector<std::jthread> others;
        for (int i = 1; i < count; ++i) others.emplace_back([&work, i, count] { work(i, count); });
        work(0, count);
    });
}

void fill_caches() {
    static std::vector<int> filling(2 * host::last_level_cache_bytes() / sizeof(int), 1);
    // Written back, so that the reads are not left out.
    filling.front() = std::accumulate(filling.begin(), filling.end(), 0);
}

}  // namespace

DeviceKind this_cpu(const std::string& backend, const std::string& version) {
    stay_on_measuring_processors();
    return {{device_for(backend, version)},
            dense_layers(),
            [](const std::string&) { return copy_bandwidth(); },
            [](const std::string&) { fill_caches(); }};
}

}  // namespace hacscale::runtimes
