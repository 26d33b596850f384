#include "kernels/cuda/cudnn/plan_info.hpp"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/error.hpp"

namespace hacscale::cuda {
namespace {

constexpr std::string_view knob_prefix = "CUDNN_KNOB_TYPE_";

// The object that has the engine lies at different depths in cuDNN's versions.
const nlohmann::json* find_engine(const nlohmann::json& value) {
    if (value.is_object() && value.contains("engineId")) return &value;
    if (!value.is_structured()) return nullptr;
    for (const auto& element : value) {
        if (const auto* found = find_engine(element)) return found;
    }
    return nullptr;
}

std::string knob_name(std::string name) {
    if (name.starts_with(knob_prefix)) name.erase(0, knob_prefix.size());
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return name;
}

}  // namespace

PlanInfo parse_plan(const std::string& plan_json) {
    const auto json = nlohmann::json::parse(plan_json, nullptr, false);
    const nlohmann::json* engine = json.is_discarded() ? nullptr : find_engine(json);
    if (engine == nullptr || !engine->at("engineId").is_number_integer()) {
        throw WorkError("cuDNN's description of a plan names no engine");
    }
    PlanInfo info;
    info.engine = engine->at("engineId").get<std::int64_t>();
    const auto choices = engine->find("knobChoices");
    if (choices == engine->end() || !choices->is_object()) return info;
    for (const auto& [name, value] : choices->items()) {
        if (value.is_number_integer() && value.get<std::int64_t>() != -1) {
            info.knobs[knob_name(name)] = value.get<std::int64_t>();
        }
    }
    return info;
}

}  // namespace hacscale::cuda
