// Strict reading of one JSON file: every access names the key it wants, and every error names file, key and
// what was expected. An object knows its path within the file ("strategies[2].widths"), so that messages need
// no context.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hacscale::report {

// A parsed file and a place in it. Copies are cheap and keep the file's content alive.
class JsonPlace {
public:
    // Throws InputError when the file is not there, is too large (256 MiB) or is not JSON.
    static JsonPlace open(const std::filesystem::path& file);

    // Required keys. Numbers are finite by JSON's grammar.
    std::string text(const char* key) const;
    double number(const char* key) const;
    double positive(const char* key) const;
    int integer(const char* key) const;
    JsonPlace object(const char* key) const;
    std::vector<JsonPlace> objects(const char* key) const;
    std::vector<std::string> texts(const char* key) const;

    bool has(const char* key) const;  // and it is not null

    // Keys that may be absent or null: then empty.
    std::string text_or_empty(const char* key) const;
    // A text, or a number as text.
    std::string label_or_empty(const char* key) const;
    std::optional<double> number_or_null(const char* key) const;
    std::optional<double> positive_or_null(const char* key) const;
    std::optional<int> integer_or_null(const char* key) const;
    std::vector<int> integers_or_empty(const char* key) const;
    std::vector<std::vector<int>> integer_lists_or_empty(const char* key) const;
    std::vector<std::string> texts_or_empty(const char* key) const;
    std::vector<JsonPlace> objects_or_empty(const char* key) const;
    std::optional<JsonPlace> object_or_null(const char* key) const;

    // Every member as text, in the file's order (texts as they are, other values as JSON).
    std::vector<std::pair<std::string, std::string>> members() const;
    // This place as an array of objects.
    std::vector<JsonPlace> items() const;

    [[noreturn]] void fail(const std::string& key, const std::string& expected) const;

private:
    using Json = nlohmann::ordered_json;
    JsonPlace(std::shared_ptr<const Json> root, const Json* here, std::string file, std::string path);
    const Json* find(const char* key) const;  // null when absent or null
    const Json& require(const char* key, const char* expected) const;
    std::string path_of(const std::string& key) const;

    std::shared_ptr<const Json> root_;
    const Json* here_;
    std::string file_;
    std::string path_;
};

// A required text that is one of `known`.
std::string one_of(const JsonPlace& place, const char* key, std::initializer_list<std::string_view> known);

}  // namespace hacscale::report
