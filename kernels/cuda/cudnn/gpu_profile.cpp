#include "kernels/cuda/cudnn/offline_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/error.hpp"
#include "base/text/json_text.hpp"
#include "base/text/read_file.hpp"

namespace hacscale::cuda {
namespace {

using Json = nlohmann::json;

constexpr std::array numbers{"cudaDeviceId",
                             "deviceVer",
                             "multiProcessorCount",
                             "driverVer",
                             "smClockRateKHz",
                             "memClockRateKHz",
                             "l2CacheSize",
                             "warpSize",
                             "maxSharedMemoryPerBlock",
                             "maxSharedMemoryPerBlockOptin",
                             "reservedSharedMemoryPerBlock",
                             "maxRegistersPerSM",
                             "regsPerBlock",
                             "pciDeviceId",
                             "maxCtasPerSM",
                             "maxThreadsPerBlock",
                             "maxThreadsPerSM",
                             "isTccDriver",
                             "supportCoopLaunch",
                             "totalGlobalMem",
                             "sharedMemPerMultiprocessor",
                             "maxSharedMemoryPerSM"};
constexpr std::array triples{"maxGridSize", "maxBlockSize"};
// Zero means nothing for these: plans cannot be made for a GPU without them.
constexpr std::array positive{
    "deviceVer",         "multiProcessorCount", "warpSize",        "maxSharedMemoryPerBlock",
    "maxRegistersPerSM", "maxThreadsPerBlock",  "maxThreadsPerSM", "totalGlobalMem"};

constexpr const char* expectation =
    "expected a GPU profile, as docs/formats.md describes (\"GPU profiles\"; examples in "
    "kernels/cuda/profiles)";

bool is_count(const Json& value) {
    return value.is_number_integer() && value.get<double>() >= 0;
}

bool is_triple(const Json& value) {
    return value.is_array() && value.size() == 3 && is_count(value[0]) && is_count(value[1]) &&
           is_count(value[2]);
}

}  // namespace

GpuProfile parse_gpu_profile(const std::string& text) {
    Json json;
    const auto check = [](int, Json::parse_event_t, const Json& value) {
        check_text(value, "the GPU profile");
        return true;
    };
    try {
        json = Json::parse(text, check);
    } catch (const Json::exception&) {
        try {
            refuse_json(text, "the GPU profile");
        } catch (const InputError& refused) {
            throw InputError(fmt::format("{}; {}", refused.what(), expectation));
        }
    }
    if (!json.is_object()) throw InputError(fmt::format("no JSON object; {}", expectation));

    std::vector<std::string> missing;
    const auto look_for = [&](const char* field) {
        if (!json.contains(field)) missing.emplace_back(field);
    };
    look_for("deviceName");
    for (const char* field : numbers) look_for(field);
    for (const char* field : triples) look_for(field);
    if (!missing.empty()) {
        throw InputError(fmt::format("lacks {}; {}", fmt::join(missing, ", "), expectation));
    }
    if (!json["deviceName"].is_string()) throw InputError("deviceName is no text");
    for (const char* field : numbers) {
        if (!is_count(json[field])) throw InputError(fmt::format("{} is no count", field));
    }
    for (const char* field : triples) {
        if (!is_triple(json[field])) throw InputError(fmt::format("{} is no list of three counts", field));
    }
    for (const char* field : positive) {
        if (json[field] == 0) throw InputError(fmt::format("{} is 0", field));
    }
    const auto version = json["deviceVer"].get<double>();
    if (version < 500 || version > 2000 || json["deviceVer"].get<int>() % 10 != 0) {
        throw InputError("deviceVer is 100 times the compute capability, so 900 for 9.0");
    }
    return {json["deviceName"].get<std::string>(), json["deviceVer"].get<int>() / 10};
}

}  // namespace hacscale::cuda
