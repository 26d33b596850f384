#include "kernels/cuda/cudnn/engine_plans.hpp"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <set>
#include <string_view>

#include "base/error.hpp"

namespace hacscale::cuda {
namespace {

constexpr std::string_view knob_prefix = "CUDNN_KNOB_TYPE_";

// The object that has the engine is at different depths in cuDNN's versions.
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

std::vector<std::int64_t> values_of(const KnobRange& range) {
    std::vector<std::int64_t> values;
    const std::int64_t stride = std::max<std::int64_t>(range.stride, 1);
    for (std::int64_t value = range.min; value <= range.max; value += stride) {
        const bool power_of_two = value > 0 && (value & (value - 1)) == 0;
        if (range.knob == split_k_knob && (!power_of_two || value > max_k_slices)) continue;
        values.push_back(value);
    }
    if (values.empty()) values.push_back(range.min);
    return values;
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

std::vector<KnobSetting> knob_settings(const std::vector<KnobRange>& knobs, std::size_t most,
                                       std::uint64_t seed) {
    std::vector<std::vector<std::int64_t>> values;
    std::uint64_t combinations = 1;
    for (const KnobRange& knob : knobs) {
        values.push_back(values_of(knob));
        combinations *= values.back().size();
    }
    const auto setting = [&](std::uint64_t number) {
        KnobSetting result;
        for (std::size_t i = 0; i < knobs.size(); ++i) {
            result[knobs[i].knob] = values[i][number % values[i].size()];
            number /= values[i].size();
        }
        return result;
    };
    std::mt19937_64 generator(seed);
    std::vector<std::uint64_t> numbers;
    if (combinations <= 2 * most) {
        numbers.resize(combinations);
        std::iota(numbers.begin(), numbers.end(), std::uint64_t{0});
        std::shuffle(numbers.begin(), numbers.end(), generator);
        numbers.resize(std::min(numbers.size(), most));
    } else {
        // At least half of all draws are new ones.
        std::set<std::uint64_t> drawn;
        while (numbers.size() < most) {
            const std::uint64_t number = generator() % combinations;
            if (drawn.insert(number).second) numbers.push_back(number);
        }
    }
    std::vector<KnobSetting> settings;
    for (const std::uint64_t number : numbers) settings.push_back(setting(number));
    return settings;
}

}  // namespace hacscale::cuda
