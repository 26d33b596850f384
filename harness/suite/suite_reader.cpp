// What a suite's YAML says, read strictly.
#include "harness/suite/suite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "base/yaml/yaml_reader.hpp"
#include "base/yaml/yaml_tree.hpp"
#include "models/zoo/find_network.hpp"
#include "models/zoo/zoo.hpp"
#include "scaling/strategies/strategy.hpp"
#include "training/recipe.hpp"

namespace hacscale::harness {

namespace {

using detail::YamlFields;
using detail::YamlNode;

constexpr std::size_t max_list_entries = 200;
constexpr double max_ratio = 16.0;
constexpr double max_seconds = 3600.0;
constexpr double max_minutes = 60.0 * 24 * 30;

const std::initializer_list<std::string_view> known_keys{"name",
                                                         "models",
                                                         "device",
                                                         "devices",
                                                         "threads",
                                                         "batch",
                                                         "batches",
                                                         "dtype",
                                                         "dtypes",
                                                         "cache",
                                                         "caches",
                                                         "budgets",
                                                         "strategies",
                                                         "grid",
                                                         "min_width_ratio",
                                                         "max_width_ratio",
                                                         "min_depth_ratio",
                                                         "max_depth_ratio",
                                                         "min_inner_ratio",
                                                         "max_inner_ratio",
                                                         "inner_widths",
                                                         "resolutions",
                                                         "resolution_steps",
                                                         "verify",
                                                         "inputs",
                                                         "tolerance",
                                                         "seconds",
                                                         "rows",
                                                         "minutes",
                                                         "total_minutes",
                                                         "gains",
                                                         "record",
                                                         "recipe"};

class SuiteReader {
public:
    SuiteReader(const YamlNode& root, const std::string& origin, const std::filesystem::path& folder)
        : fields_(root, "a suite", suite_keys(), origin), origin_(origin), folder_(folder) {}

    Suite read() const {
        Suite suite;
        suite.name =
            detail::read_name(fields_.required("name"), "name", origin_);  // of a folder, where none is given
        suite.models = models("models", inputs());
        suite.verify = models("verify", inputs());
        if (suite.models.empty() && suite.verify.empty()) {
            throw InputError(origin_, fields_.required("models").line,
                             "models: expected at least one, or networks under verify");
        }
        read_devices(suite);
        suite.threads = fields_.integer("threads", {0, 4096}, suite.threads);
        read_states(suite);
        if (fields_.find("budgets") != nullptr) {
            suite.budgets = budgets();
        }
        suite.strategies = strategies();
        suite.grid = fields_.integer("grid", {1, 1024}, suite.grid);
        suite.min_width_ratio = number_if_given("min_width_ratio", 1.0);
        suite.max_width_ratio = number_if_given("max_width_ratio", max_ratio);
        suite.min_depth_ratio = number_if_given("min_depth_ratio", 1.0);
        suite.max_depth_ratio = number_if_given("max_depth_ratio", max_ratio);
        read_inner(suite);
        read_resolutions(suite);
        check_ranges(suite);
        suite.tolerance = number("tolerance", 1.0, suite.tolerance);
        suite.seconds = number("seconds", max_seconds, suite.seconds);
        suite.rows = fields_.word("rows", row_method_from_name, suite.rows);
        suite.minutes = number("minutes", max_minutes, suite.minutes);
        suite.total_minutes = number("total_minutes", max_minutes, suite.total_minutes);
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

    std::optional<double> number_if_given(std::string_view key, double at_most) const {
        return fields_.find(key) == nullptr ? std::nullopt : std::optional(number(key, at_most, 0.0));
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

    // The values of `many`, or the one of `one`; the two keys say the same, so both are a contradiction.
    template <typename Read, typename Value>
    std::vector<Value> one_or_many(std::string_view one, std::string_view many, const Read& read,
                                   std::vector<Value> otherwise) const {
        const YamlNode* single = fields_.find(one);
        const YamlNode* several = fields_.find(many);
        if (single != nullptr && several != nullptr) {
            fail(*several,
                 fmt::format("{}: the suite has {} too, and the two contradict each other; keep one", many,
                             one));
        }
        if (single != nullptr) {
            return {read(*single, one)};
        }
        if (several == nullptr) {
            return otherwise;
        }
        std::vector<Value> values =
            list(many, [&](const YamlNode& item) -> Value { return read(item, many); });
        if (values.empty()) {
            fail(*several, fmt::format("{}: expected at least one", many));
        }
        return values;
    }

    void read_devices(Suite& suite) const {
        const auto read = [&](const YamlNode& node, std::string_view key) {
            std::string device = detail::read_text(node, key, origin_);
            constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789_:@-";
            if (device.empty() || device.find_first_not_of(allowed) != std::string::npos) {
                fail(node,
                     fmt::format(
                         "{}: \"{}\" is no device; `hacscale devices` names them (cpu, cuda:0, openvino@cpu)",
                         key, device));
            }
            return device;
        };
        const YamlNode* devices = fields_.find("devices");
        if (devices != nullptr && devices->kind == YamlNode::Kind::scalar && devices->text == all_devices &&
            fields_.find("device") == nullptr) {
            suite.devices = {std::string(all_devices)};
            return;
        }
        suite.devices = one_or_many("device", "devices", read, suite.devices);
        if (suite.devices.size() > 1 &&
            std::find(suite.devices.begin(), suite.devices.end(), all_devices) != suite.devices.end()) {
            fail(*devices, "devices: \"all\" stands for every device, so it stands alone");
        }
    }

    void read_states(Suite& suite) const {
        const auto word = [&](const auto& parse) {
            return [this, parse](const YamlNode& node, std::string_view key) {
                const std::string text = detail::read_text(node, key, origin_);
                try {
                    return parse(text);
                } catch (const InputError& error) {
                    fail(node, fmt::format("{}: {}", key, error.what()));
                }
            };
        };
        const auto batch = [&](const YamlNode& node, std::string_view key) {
            return detail::read_integer(node, key, {1, 65536}, origin_);
        };
        suite.batches = one_or_many("batch", "batches", batch, suite.batches);
        suite.types = one_or_many("dtype", "dtypes", word(data_type_from_name), suite.types);
        suite.caches = one_or_many("cache", "caches", word(cache_state_from_name), suite.caches);
    }

    void read_resolutions(Suite& suite) const {
        const YamlNode* steps = fields_.find("resolution_steps");
        suite.resolution_steps = fields_.integer("resolution_steps", {0, 32}, suite.resolution_steps);
        suite.resolutions = list("resolutions", [&](const YamlNode& item) {
            return detail::read_integer(item, "resolutions", {1, 4096}, origin_);
        });
        if (steps != nullptr && fields_.find("resolutions") != nullptr) {
            fail(*steps,
                 "resolution_steps: the suite has resolutions too, and the two contradict each other; keep "
                 "one");
        }
    }

    // What no model can be scaled within is found here, before hours of measuring.
    void check_ranges(const Suite& suite) const {
        for (const auto& [key, value] : {std::pair{"max_width_ratio", suite.max_width_ratio},
                                         {"max_depth_ratio", suite.max_depth_ratio}}) {
            if (value && *value < 1.0) {
                fail(fields_.required(key),
                     fmt::format("{}: {} leaves the base itself out, so the range contradicts it; at least 1",
                                 key, *value));
            }
        }
        for (const SuiteModel& model : suite.models) {
            if (!model.stages) {
                check_graph(suite, model);
                continue;
            }
            try {
                make_space(*model.stages, for_all_budgets(suite, space_of(suite, *model.stages)));
            } catch (const InputError& error) {
                fail(fields_.required("models"),
                     fmt::format("models: {} cannot be scaled as the suite says: {}", model.stages->name,
                                 error.what()));
            }
        }
    }

    void check_graph(const Suite& suite, const SuiteModel& model) const {
        const YamlNode* other_sizes = fields_.find("resolutions");
        if (other_sizes == nullptr && suite.resolution_steps > 0) {
            other_sizes = fields_.find("resolution_steps");
        }
        if (other_sizes != nullptr) {
            fail(*other_sizes,
                 fmt::format("{} is an ONNX file, which has one resolution; put it into a suite without "
                             "resolutions",
                             model.name));
        }
    }

    std::vector<Budget> budgets() const {
        return list("budgets", [&](const YamlNode& item) {
            try {
                return parse_budget(item.text);
            } catch (const InputError& error) {
                fail(item, fmt::format("budgets: {}", error.what()));
            }
        });
    }

    using InputsOfFiles = std::map<std::string, InputShapes>;

    // Of ONNX files, as models and verify name them.
    InputsOfFiles inputs() const {
        InputsOfFiles of_files;
        const YamlNode* node = fields_.find("inputs");
        if (node == nullptr) {
            return of_files;
        }
        if (node->kind != YamlNode::Kind::mapping) {
            fail(*node, fmt::format("inputs: expected \"FILE: NAME=3x224x224\" for ONNX files, found {}",
                                    describe(*node)));
        }
        std::vector<std::string> named;
        for (const std::string_view key : {"models", "verify"}) {
            const YamlNode* names = fields_.find(key);
            for (const YamlNode& item : names == nullptr ? std::vector<YamlNode>() : names->items) {
                named.push_back(item.text);
            }
        }
        for (const detail::YamlEntry& entry : node->entries) {
            if (!is_onnx_file(entry.key) || std::find(named.begin(), named.end(), entry.key) == named.end()) {
                throw InputError(
                    origin_, entry.line,
                    fmt::format("inputs: {} is none of the ONNX files under models and verify", entry.key));
            }
            const std::vector<YamlNode> sizes =
                entry.value.kind == YamlNode::Kind::sequence ? entry.value.items : std::vector{entry.value};
            std::vector<std::string> given;
            for (const YamlNode& one : sizes) {
                given.push_back(detail::read_text(one, "inputs", origin_));
            }
            try {
                of_files[entry.key] = input_shapes(given, "inputs: " + entry.key);
            } catch (const InputError& error) {
                fail(entry.value, error.what());
            }
        }
        return of_files;
    }

    // A file's path is relative to the suite's folder.
    std::string found_name(const std::string& name) const {
        const bool file = name.ends_with(".yaml") || name.ends_with(".yml") || is_onnx_file(name);
        return file ? (folder_ / name).string() : name;
    }

    static SuiteModel suite_model(const std::string& name, const InputShapes& shapes) {
        if (is_onnx_file(name)) {
            return {name, std::make_shared<const Network>(find_network(name, shapes))};
        }
        ModelSpec model = find_model(name);
        auto network = std::make_shared<const Network>(network_of(model));
        return {name, std::move(network), std::move(model)};
    }

    // Each is read here, so that a mistyped name is found before hours of measuring rather than after.
    std::vector<SuiteModel> models(std::string_view key, const InputsOfFiles& inputs) const {
        const YamlNode* node = fields_.find(key);
        if (key == "verify" && node != nullptr && node->text == "zoo") {
            std::vector<SuiteModel> zoo;
            for (const std::string& name : zoo_names()) {
                zoo.push_back(suite_model(name, {}));
            }
            return zoo;
        }
        return list(key, [&](const YamlNode& item) -> SuiteModel {
            std::string name = detail::read_text(item, key, origin_);
            const auto sizes = inputs.find(name);
            name = found_name(name);
            try {
                return suite_model(name, sizes == inputs.end() ? InputShapes{} : sizes->second);
            } catch (const InputError& error) {
                fail(item, fmt::format("{}: {}", key, error.what()));
            }
        });
    }

    // MODEL: FILE, or MODEL: [FILE, FILE]; a relative path is relative to the suite's folder.
    std::vector<std::pair<std::string, std::filesystem::path>> gains(
        const std::vector<SuiteModel>& known) const {
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
            if (is_onnx_file(entry.key)) {
                throw InputError(
                    origin_, entry.line,
                    fmt::format("gains: {} is an ONNX file, which has no stages that a gain is of",
                                entry.key));
            }
            const std::string name = found_name(entry.key);
            if (std::none_of(known.begin(), known.end(),
                             [&](const SuiteModel& model) { return model.name == name; })) {
                throw InputError(origin_, entry.line,
                                 fmt::format("gains: {} is none of the suite's models", entry.key));
            }
            const std::vector<YamlNode> named =
                entry.value.kind == YamlNode::Kind::sequence ? entry.value.items : std::vector{entry.value};
            if (named.empty() || named.size() > 2) {
                fail(entry.value,
                     fmt::format("gains: {}: expected a sensitivity or an importance file, or one of "
                                 "each in a list",
                                 entry.key));
            }
            for (const YamlNode& one : named) {
                const std::filesystem::path file = folder_ / detail::read_text(one, "gains", origin_);
                std::error_code error;
                if (!std::filesystem::is_regular_file(file, error)) {
                    fail(one, fmt::format("gains: there is no file {}", file.string()));
                }
                files.emplace_back(name, file);
            }
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

// Records and rows are kept by a network's name.
void refuse_two_of_one_name(const Suite& suite, const std::string& origin) {
    std::map<std::string, const SuiteModel*> known;
    for (const auto* list : {&suite.models, &suite.verify}) {
        for (const SuiteModel& model : *list) {
            const auto [other, is_new] = known.emplace(model.network->name, &model);
            if (is_new || network_hash(*other->second->network) == network_hash(*model.network)) {
                continue;
            }
            throw InputError(
                fmt::format("{}: {} and {} are different networks, both with the name {}, by which their "
                            "records are kept; rename one of them",
                            origin, other->second->name, model.name, model.network->name));
        }
    }
}

}  // namespace

std::initializer_list<std::string_view> suite_keys() {
    return known_keys;
}

Suite parse_suite(std::string_view yaml, const std::string& origin, const std::filesystem::path& folder) {
    const YamlNode root = detail::parse_yaml(yaml, origin);
    Suite suite = SuiteReader(root, origin, folder).read();
    refuse_two_of_one_name(suite, origin);
    return suite;
}

}  // namespace hacscale::harness
