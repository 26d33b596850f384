#include "scaling/detail/strict_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "base/error.hpp"

namespace hacscale::detail {

StrictMap::StrictMap(const YAML::Node& node, std::string what, std::initializer_list<std::string_view> keys,
                     const std::string& file)
    : node_(node), what_(std::move(what)), file_(file) {
    if (!node.IsMap()) fail(node, fmt::format("{} must be a mapping", what_));
    std::set<std::string> seen;
    for (const auto& entry : node) {
        if (!entry.first.IsScalar()) fail(entry.first, fmt::format("{}: a key must be a word", what_));
        const std::string& key = entry.first.Scalar();
        if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
            fail(entry.first, fmt::format("{}: unknown key '{}', expected one of {}", what_, key,
                                          fmt::join(keys.begin(), keys.end(), ", ")));
        }
        if (!seen.insert(key).second) {
            fail(entry.first, fmt::format("{}: the key '{}' is repeated", what_, key));
        }
    }
}

bool StrictMap::has(const char* key) const {
    return node_[key].IsDefined();
}

YAML::Node StrictMap::at(const char* key) const {
    const YAML::Node value = node_[key];
    if (!value.IsDefined()) fail(node_, fmt::format("{} lacks the key '{}'", what_, key));
    return value;
}

std::string StrictMap::text(const char* key) const {
    const YAML::Node value = at(key);
    if (!value.IsScalar()) fail(value, fmt::format("{}: '{}' must be a text", what_, key));
    return value.Scalar();
}

double StrictMap::number(const char* key) const {
    const YAML::Node value = at(key);
    double number = 0.0;
    if (!value.IsScalar() || !YAML::convert<double>::decode(value, number) || !std::isfinite(number)) {
        fail(value, fmt::format("{}: '{}' must be a finite number", what_, key));
    }
    return number;
}

double StrictMap::number_or(const char* key, double otherwise) const {
    return has(key) ? number(key) : otherwise;
}

void StrictMap::fail(const YAML::Node& node, const std::string& message) const {
    throw InputError(file_, node.Mark().line + 1, message);
}

}  // namespace hacscale::detail
