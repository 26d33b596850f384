// Strict access to a YAML file and its mappings: only known keys, each of the right type and within its range.
// Every failure is an InputError with file, line and what was expected.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/yaml/yaml_tree.hpp"

namespace hacscale::detail {

// The whole of a YAML file, at most 1 MiB. Throws InputError, which names `what` was expected ("a recipe").
std::string read_yaml_file(const std::filesystem::path& file, std::string_view what);

// Inclusive.
struct IntegerRange {
    int low;
    int high;
};

// Single values. `what` names the value in messages.
int read_integer(const YamlNode& node, std::string_view what, IntegerRange range, const std::string& origin);
double read_number(const YamlNode& node, std::string_view what, double above, double at_most,
                   const std::string& origin);
// As read_number(), but both ends belong to the range.
double read_number_between(const YamlNode& node, std::string_view key, double low, double high,
                           const std::string& origin);
bool read_boolean(const YamlNode& node, std::string_view what, const std::string& origin);
// One line of text.
std::string read_text(const YamlNode& node, std::string_view what, const std::string& origin);
// A name that goes into records: at most 100 letters, digits and . _ -, not beginning with a dot.
std::string read_name(const YamlNode& node, std::string_view key, const std::string& origin);

// The keys of one mapping. A key that is not there leaves the default.
class YamlFields {
public:
    // `what` names the mapping, for example "a stage". Throws when `node` is no mapping or has a key that is
    // not known.
    YamlFields(const YamlNode& node, std::string_view what, std::initializer_list<std::string_view> known,
               const std::string& origin);

    const YamlNode* find(std::string_view key) const { return node_.find(key); }
    const YamlNode& required(std::string_view key) const;

    int required_integer(std::string_view key, IntegerRange range) const;
    int integer(std::string_view key, IntegerRange range, int otherwise) const;
    bool boolean(std::string_view key, bool otherwise) const;

    // A word that `parse` turns into a value or refuses with an InputError, which then gets its line.
    template <typename Parse, typename Value>
    Value word(std::string_view key, Parse parse, Value otherwise) const {
        const YamlNode* node = find(key);
        return node == nullptr ? otherwise : parsed_word(*node, key, parse);
    }
    template <typename Parse>
    auto required_word(std::string_view key, Parse parse) const {
        return parsed_word(required(key), key, parse);
    }

    int line() const { return node_.line; }
    const std::string& origin() const { return origin_; }

private:
    template <typename Parse>
    auto parsed_word(const YamlNode& node, std::string_view key, Parse parse) const {
        const std::string text = read_text(node, key, origin_);
        try {
            return parse(text);
        } catch (const InputError& error) {
            throw InputError(origin_, node.line, std::string(key) + ": " + error.what());
        }
    }

    const YamlNode& node_;
    std::string what_;
    const std::string& origin_;
};

}  // namespace hacscale::detail
