#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "base/error.hpp"
#include "base/tabular/tabular.hpp"
#include "base/text/json_text.hpp"
#include "base/text/read_file.hpp"
#include "base/text/wording.hpp"

namespace hacscale {
namespace {

using Json = nlohmann::ordered_json;

// Values deeper than an object within a row would be written out again by recursion.
constexpr int max_depth = 16;

// A key that is there twice would lose one of its values in silence.
Json parsed(const std::string& text, const std::string& origin) {
    std::vector<std::unordered_set<std::string>> keys;
    const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
        if (depth > max_depth) throw InputError(origin + ": is nested deeper than rows of values are");
        check_text(value, origin);
        if (event == Json::parse_event_t::object_start) keys.emplace_back();
        if (event == Json::parse_event_t::object_end) keys.pop_back();
        if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second) {
            throw InputError(
                fmt::format("{}: the key '{}' is twice in one object", origin, value.get<std::string>()));
        }
        return true;
    };
    try {
        return Json::parse(text, check);
    } catch (const nlohmann::json::exception&) {
        refuse_json(text, origin);
    }
}

class JsonRows {
public:
    JsonRows(const std::string& origin, const std::vector<std::string>& known)
        : known_(known), columns_(std::make_shared<TabularColumns>()) {
        columns_->origin = origin;
        columns_->format = TabularFormat::json;
    }

    TabularFile read(const Json& root, const std::string& rows_key) {
        if (root.is_array()) {
            add_rows(root, "");
        } else if (root.is_object() && root.contains(rows_key) && root[rows_key].is_array()) {
            for (const auto& [name, value] : root.items()) {
                if (name != rows_key) add_value(common_, name, value, true);
            }
            add_rows(root[rows_key], rows_key);
        } else {
            throw InputError(
                fmt::format("{}: expected an array of objects, or an object with such an array under '{}'",
                            columns_->origin, rows_key));
        }
        file_.columns = columns_->names;
        return std::move(file_);
    }

private:
    void add_rows(const Json& rows, const std::string& path) {
        std::size_t index = 0;
        for (const Json& row : rows) {
            const std::string place = fmt::format("{}: {}[{}]", columns_->origin, path, index++);
            if (!row.is_object()) {
                throw InputError(fmt::format("{}: expected an object, found {}", place, row.type_name()));
            }
            std::vector<TabularValue> values = common_;
            for (const auto& [name, value] : row.items()) add_value(values, name, value, false);
            file_.rows.emplace_back(columns_, place, std::move(values));
        }
    }

    void add_value(std::vector<TabularValue>& values, const std::string& name, const Json& value,
                   bool common) {
        if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
            throw InputError(fmt::format("{}: '{}' is no column of such a file{}", columns_->origin, name,
                                         detail::did_you_mean(name, known_)));
        }
        const auto [found, is_new] = columns_->index.emplace(name, columns_->names.size());
        if (is_new) columns_->names.push_back(name);
        if (value.is_null()) return;
        if (values.size() <= found->second) values.resize(found->second + 1);
        values[found->second] = {value.is_string() ? value.get<std::string>() : value.dump(),
                                 value.is_string(), common};
    }

    const std::vector<std::string>& known_;
    std::shared_ptr<TabularColumns> columns_;
    std::vector<TabularValue> common_;
    TabularFile file_;
};

}  // namespace

TabularFile parse_json_rows(const std::string& text, const std::string& origin, std::string_view rows_key,
                            const std::vector<std::string>& known) {
    return JsonRows(origin, known).read(parsed(text, origin), std::string(rows_key));
}

}  // namespace hacscale
