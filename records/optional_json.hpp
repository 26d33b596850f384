// Small helpers for writing records and reading them back: absent values, lists and names. Include in .cpp
// files only, as cli/print_json.hpp.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"

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

// What value_or_null() wrote. Throws Json::exception when there is something else.
template <typename Value>
std::optional<Value> value_in(const Json& json, const char* key) {
    const Json& value = json.at(key);
    return value.is_null() ? std::nullopt : std::optional<Value>(value.get<Value>());
}

// The same of a key that records of earlier versions lack.
template <typename Value>
std::optional<Value> later_value_in(const Json& json, const char* key) {
    return json.contains(key) ? value_in<Value>(json, key) : std::nullopt;
}

template <typename Value>
std::vector<Value> list_in(const Json& json, const char* key, Value (*read)(const Json&)) {
    std::vector<Value> list;
    for (const Json& entry : json.at(key)) {
        list.push_back(read(entry));
    }
    return list;
}

// The value that `name_of` names so. InputError when it is none of them.
template <typename Value>
Value named_in(const Json& json, const char* key, std::initializer_list<Value> values) {
    const std::string name = json.at(key);
    for (const Value value : values) {
        if (name_of(value) == name) {
            return value;
        }
    }
    throw InputError(std::string(key) + ": \"" + name + "\" is not known");
}

}  // namespace hacscale::cli
