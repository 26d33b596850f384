// Scaling choices as JSON, as they stand in every record. Include in .cpp files only, as cli/print_json.hpp.
#pragma once

#include <optional>
#include <vector>

#include "cli/print_json.hpp"
#include "models/stages/scaled_model.hpp"

namespace hacscale::cli {

// Null where all inner widths follow.
inline Json inner_widths_json(const ScalingChoice& choice) {
    return choice.inner_widths.empty() ? Json(nullptr) : Json(choice.inner_widths);
}

inline void add_choice(Json& json, const std::optional<ScalingChoice>& choice) {
    json["widths"] = choice ? Json(choice->widths) : Json(nullptr);
    json["depths"] = choice ? Json(choice->depths) : Json(nullptr);
    json["inner_widths"] = choice ? inner_widths_json(*choice) : Json(nullptr);
    json["resolution"] = choice ? Json(choice->resolution) : Json(nullptr);
}

// What add_choice() added. Throws Json::exception when there is something else.
inline std::optional<ScalingChoice> choice_in(const Json& json) {
    if (json.at("widths").is_null()) {
        return std::nullopt;
    }
    ScalingChoice choice{json.at("widths"), json.at("depths"), json.at("resolution")};
    if (const Json& inner = json.at("inner_widths"); !inner.is_null()) {
        choice.inner_widths = inner;
    }
    return choice;
}

}  // namespace hacscale::cli
