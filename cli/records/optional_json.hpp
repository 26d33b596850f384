// Small helpers for writing records: absent values and lists. Include in .cpp files only, as
// cli/print_json.hpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/print_json.hpp"

namespace hacscale::cli {

template <typename Value>
Json value_or_null(const std::optional<Value>& value) {
    return value ? Json(*value) : Json(nullptr);
}

template <typename Value>
Json list_json(const std::vector<Value>& values, Json (*write)(const Value&)) {
    Json list = Json::array();
    for (const Value& value : values) {
        list.push_back(write(value));
    }
    return list;
}

}  // namespace hacscale::cli
