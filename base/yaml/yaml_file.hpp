// Whole YAML files, and what recipes, plans and suites read beside yaml_reader.hpp.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/yaml/yaml_tree.hpp"

namespace hacscale::detail {

// The whole of a YAML file, at most 1 MiB. Throws InputError, which names `what` was expected ("a recipe").
std::string read_yaml_file(const std::filesystem::path& file, std::string_view what);

// Both ends belong to the range. Throws InputError with file and line.
double read_number_between(const YamlNode& node, std::string_view key, double low, double high,
                           const std::string& origin);

// A name that goes into records: at most 100 letters, digits and . _ -, not beginning with a dot.
std::string read_name(const YamlNode& node, std::string_view key, const std::string& origin);

}  // namespace hacscale::detail
