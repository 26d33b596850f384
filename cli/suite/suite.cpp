#include "cli/suite/suite.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/yaml/yaml_file.hpp"
#include "base/yaml/yaml_reader.hpp"
#include "base/yaml/yaml_tree.hpp"
#include "models/zoo.hpp"
#include "scaling/strategies/strategy.hpp"
#include "training/recipe.hpp"

namespace hacscale::cli {

namespace {

using detail::YamlFields;
using detail::YamlNode;

constexpr std::size_t max_list_entries = 200;
constexpr double max_ratio = 16.0;
constexpr double max_seconds = 3600.0;
constexpr double max_minutes = 60.0 * 24 * 30;

class SuiteReader {
public:
    SuiteReader(const YamlNode& root, const std::string& origin, const std::filesystem::path& folder)
        : fields_(root, "a suite",
                  {"name",
                   "models",
                   "device",
                   "threads",
                   "batch",
                   "dtype",
                   "cache",
                   "budgets",
                   "strategies",
                   "grid",
                   "max_width_ratio",
                   "max_depth_ratio",
                   "min_inner_ratio",
                   "max_inner_ratio",
                   "inner_widths",
                   "resolution_steps",
                   "verify",
                   "tolerance",
                   "seconds",
                   "minutes",
                   "gains",
                   "record",
                   "recipe"},
                  origin),
          origin_(origin),
          folder_(folder) {}

    Suite read() const {
        Suite suite;
        suite.name =
            detail::read_name(fields_.required("name"), "name", origin_);  // of a folder, where none is given
        suite.models = models("models");
        if (suite.models.empty()) {
            throw InputError(origin_, fields_.required("models").line, "models: expected at least one");
        }
        if (const YamlNode* device = fields_.find("device")) {
            suite.device = detail::read_text(*device, "device", origin_);
        }
        suite.threads = fields_.integer("threads", {0, 4096}, suite.threads);
        suite.batch = fields_.integer("batch", {1, 65536}, suite.batch);
        suite.type = fields_.word("dtype", data_type_from_name, suite.type);
        suite.cache = fields_.word("cache", cache_state_from_name, suite.cache);
        if (fields_.find("budgets") != nullptr) {
            suite.budgets = budgets();
        }
        suite.strategies = strategies();
        suite.grid = fields_.integer("grid", {1, 1024}, suite.grid);
        suite.max_width_ratio = number("max_width_ratio", max_ratio, suite.max_width_ratio);
        suite.max_depth_ratio = number("max_depth_ratio", max_ratio, suite.max_depth_ratio);
        read_inner(suite);
        suite.resolution_steps = fields_.integer("resolution_steps", {0, 32}, suite.resolution_steps);
        suite.verify = models("verify");
        suite.tolerance = number("tolerance", 1.0, suite.tolerance);
        suite.seconds = number("seconds", max_seconds, suite.seconds);
        suite.minutes = number("minutes", max_minutes, suite.minutes);
        suite.gains = gains(suite.models);
        read_accuracies(suite);
        return suite;
    }

private:
    [[noreturn]] void fail(const YamlNode& node, const std::string& message) const {
        throw InputError(origin_, node.line, message);
    }

    double number(std::string_view key, double at_most, double otherwise) const {
        const YamlNode* node = fields_.find(key);
        return node == nullptr ? otherwise : detail::read_number(*node, key, 0.0, at_most, origin_);
    }

    void read_inner(Suite& suite) const {
        suite.min_inner_ratio = number("min_inner_ratio", 1.0, suite.min_inner_ratio);
        suite.max_inner_ratio = number("max_inner_ratio", max_ratio, suite.max_inner_ratio);
        if (suite.max_inner_ratio < 1.0) {
            fail(fields_.required("max_inner_ratio"),
                 "max_inner_ratio: the width that follows is always among the choices, so at least 1");
        }
        suite.inner_widths = fields_.integer("inner_widths", {0, 4096}, suite.inner_widths);
    }

    // The entries of a list, none of them twice; nothing when the key is not there.
    template <typename Read>
    auto list(std::string_view key, const Read& read) const {
        std::vector<decltype(read(std::declval<const YamlNode&>()))> values;
        const YamlNode* node = fields_.find(key);
        if (node == nullptr) {
            return values;
        }
        if (node->kind != YamlNode::Kind::sequence || node->items.size() > max_list_entries) {
            fail(*node, fmt::format("{}: expected a list of at most {} entries, found {}", key,
                                    max_list_entries, describe(*node)));
        }
        for (const YamlNode& item : node->items) {
            auto value = read(item);
            if (std::find(values.begin(), values.end(), value) != values.end()) {
                fail(item, fmt::format("{}: {} stands here twice", key, item.text));
            }
            values.push_back(std::move(value));
        }
        return values;
    }

    std::vector<double> budgets() const {
        return list("budgets", [&](const YamlNode& item) {
            const double budget = detail::read_number(item, "budgets", 0.0, max_ratio, origin_);
            if (budget < 1.0) {
                fail(item,
                     fmt::format("budgets: a budget is a latency over the base's, so at least 1; found {}",
                                 item.text));
            }
            return budget;
        });
    }

    // Each is looked up here, so that a mistyped name is found before hours of measuring rather than after.
    std::vector<std::string> models(std::string_view key) const {
        const YamlNode* node = fields_.find(key);
        if (key == "verify" && node != nullptr && node->text == "zoo") {
            return zoo_names();
        }
        return list(key, [&](const YamlNode& item) {
            std::string model = detail::read_text(item, key, origin_);
            if (model.ends_with(".yaml") || model.ends_with(".yml")) {
                model = (folder_ / model).string();
            }
            try {
                find_model(model);
            } catch (const InputError& error) {
                fail(item, fmt::format("{}: {}", key, error.what()));
            }
            return model;
        });
    }

    // MODEL: FILE; a relative path is relative to the suite's folder.
    std::vector<std::pair<std::string, std::filesystem::path>> gains(
        const std::vector<std::string>& known) const {
        std::vector<std::pair<std::string, std::filesystem::path>> files;
        const YamlNode* node = fields_.find("gains");
        if (node == nullptr) {
            return files;
        }
        if (node->kind != YamlNode::Kind::mapping) {
            fail(*node, fmt::format("gains: expected \"MODEL: FILE\" for some of the models, found {}",
                                    describe(*node)));
        }
        for (const detail::YamlEntry& entry : node->entries) {
            if (std::find(known.begin(), known.end(), entry.key) == known.end()) {
                throw InputError(origin_, entry.line,
                                 fmt::format("gains: {} is none of the suite's models", entry.key));
            }
            const std::filesystem::path file = folder_ / detail::read_text(entry.value, "gains", origin_);
            if (!std::filesystem::is_regular_file(file)) {
                fail(entry.value, fmt::format("gains: there is no file {}", file.string()));
            }
            files.emplace_back(entry.key, file);
        }
        return files;
    }

    // The records need not be there yet: networks are often compared first and trained afterwards.
    void read_accuracies(Suite& suite) const {
        if (const YamlNode* record = fields_.find("record")) {
            suite.record = folder_ / detail::read_text(*record, "record", origin_);
            if (!suite.record.has_filename()) {
                fail(*record, "record: expected a file of accuracy records");
            }
        }
        if (const YamlNode* recipe = fields_.find("recipe")) {
            if (suite.record.empty()) {
                fail(*recipe,
                     "recipe: says which accuracies of the key 'record' are shown, which is not here");
            }
            suite.recipe = detail::read_text(*recipe, "recipe", origin_);
            if (suite.recipe.ends_with(".yaml") || suite.recipe.ends_with(".yml")) {
                suite.recipe = (folder_ / suite.recipe).string();
            }
            try {
                find_recipe(suite.recipe);
            } catch (const InputError& error) {
                fail(*recipe, fmt::format("recipe: {}", error.what()));
            }
        }
    }

    std::vector<std::string> strategies() const {
        const YamlNode* node = fields_.find("strategies");
        if (node != nullptr && node->kind == YamlNode::Kind::scalar && node->text == "all") {
            return {};
        }
        return list("strategies", [&](const YamlNode& item) {
            std::string name = detail::read_text(item, "strategies", origin_);
            try {
                find_strategy(name);
            } catch (const InputError& error) {
                fail(item, fmt::format("strategies: {}", error.what()));
            }
            return name;
        });
    }

    YamlFields fields_;
    const std::string& origin_;
    const std::filesystem::path& folder_;
};

}  // namespace

Suite parse_suite(std::string_view yaml, const std::string& origin, const std::filesystem::path& folder) {
    const YamlNode root = detail::parse_yaml(yaml, origin);
    return SuiteReader(root, origin, folder).read();
}

Suite load_suite(const std::filesystem::path& file) {
    return parse_suite(detail::read_yaml_file(file, "a suite"), file.string(), file.parent_path());
}

}  // namespace hacscale::cli
