// One mapping of a YAML (or JSON) document, read strictly: a key that is unknown, repeated or missing, or a
// value of the wrong type, is an InputError with file and line.
#pragma once

#include <yaml-cpp/yaml.h>

#include <initializer_list>
#include <string>
#include <string_view>

namespace hacscale::detail {

class StrictMap {
public:
    StrictMap(const YAML::Node& node, std::string what, std::initializer_list<std::string_view> keys,
              const std::string& file);

    bool has(const char* key) const;
    YAML::Node at(const char* key) const;  // required
    std::string text(const char* key) const;
    double number(const char* key) const;  // finite
    double number_or(const char* key, double otherwise) const;
    [[noreturn]] void fail(const YAML::Node& node, const std::string& message) const;

private:
    YAML::Node node_;
    std::string what_;
    const std::string& file_;
};

}  // namespace hacscale::detail
