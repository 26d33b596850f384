#include "training/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.hpp"
#include "base/yaml/yaml_reader.hpp"
#include "models/formats/formats.hpp"
#include "models/zoo/zoo.hpp"
#include "training/load_data_set.hpp"

namespace hacscale {
namespace {

namespace fs = std::filesystem;
using detail::YamlFields;
using detail::YamlNode;

constexpr std::size_t max_list_entries = 1000;
constexpr int largest_seed = std::numeric_limits<int>::max();

class PlanReader {
public:
    PlanReader(const YamlNode& root, const std::string& origin, const fs::path& folder)
        : fields_(root, "a training plan",
                  {"name", "models", "seeds", "recipe", "data", "record", "checkpoints", "device", "threads",
                   "match_flops"},
                  origin),
          origin_(origin),
          folder_(folder) {}

    TrainingPlan read() const {
        TrainingPlan plan;
        plan.name = detail::read_name(fields_.required("name"), "name", origin_);
        plan.models = models();
        plan.seeds = seeds();
        plan.recipe = looked_up("recipe", fields_.required("recipe"), find_recipe);
        if (fields_.find("data") != nullptr) plan.data = data_from_folder(text("data"), folder_);
        plan.record = path("record");
        plan.checkpoints = path("checkpoints");
        if (const YamlNode* node = fields_.find("device")) {
            plan.device = detail::read_text(*node, "device", origin_);
        }
        plan.threads = fields_.integer("threads", {0, 4096}, plan.threads);
        if (const YamlNode* node = fields_.find("match_flops")) {
            plan.match_flops = file_or_name("match_flops", *node);
        }
        return plan;
    }

private:
    [[noreturn]] void fail(const YamlNode& node, const std::string& message) const {
        throw InputError(origin_, node.line, message);
    }

    std::string text(std::string_view key) const {
        std::string found = detail::read_text(fields_.required(key), key, origin_);
        if (found.empty()) fail(fields_.required(key), fmt::format("{}: expected a path", key));
        return found;
    }

    fs::path path(std::string_view key) const { return (folder_ / text(key)).lexically_normal(); }

    const YamlNode& list(std::string_view key) const {
        const YamlNode& node = fields_.required(key);
        if (node.kind != YamlNode::Kind::sequence || node.items.empty() ||
            node.items.size() > max_list_entries) {
            fail(node, fmt::format("{}: expected a list of 1 to {} entries, found {}", key, max_list_entries,
                                   describe(node)));
        }
        return node;
    }

    // Paths of files are from the plan's folder.
    std::string file_or_name(std::string_view key, const YamlNode& node) const {
        std::string text = detail::read_text(node, key, origin_);
        return text.ends_with(".yaml") || text.ends_with(".yml") ? (folder_ / text).string() : text;
    }

    // What `find` makes of a name, or of a file whose path is relative to the plan's folder.
    template <typename Value>
    Value looked_up(std::string_view key, const YamlNode& node, Value (*find)(const std::string&)) const {
        try {
            return find(file_or_name(key, node));
        } catch (const InputError& error) {
            fail(node, fmt::format("{}: {}", key, error.what()));
        }
    }

    std::vector<ModelSpec> models() const {
        std::vector<ModelSpec> found;
        for (const YamlNode& item : list("models").items) {
            ModelSpec model = looked_up("models", item, find_model);
            const std::string hash = model_hash(model);
            for (const ModelSpec& other : found) {
                if (model_hash(other) != hash) continue;
                fail(item,
                     fmt::format("models: {} is the same network as {} before it", model.name, other.name));
            }
            found.push_back(std::move(model));
        }
        return found;
    }

    std::vector<std::uint64_t> seeds() const {
        std::vector<std::uint64_t> found;
        for (const YamlNode& item : list("seeds").items) {
            const int seed = detail::read_integer(item, "seeds", {0, largest_seed}, origin_);
            const auto value = static_cast<std::uint64_t>(seed);
            if (std::find(found.begin(), found.end(), value) != found.end()) {
                fail(item, fmt::format("seeds: {} stands here twice", seed));
            }
            found.push_back(value);
        }
        return found;
    }

    YamlFields fields_;
    const std::string& origin_;
    const fs::path& folder_;
};

// In double quotes, so that YAML takes it for text, whatever it looks like.
std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char letter : text) {
        if (letter == '"' || letter == '\\') out += '\\';
        out += letter;
    }
    return out + "\"";
}

}  // namespace

std::string to_yaml(const PlanText& plan) {
    std::string models;
    for (const std::string& model : plan.models) models += fmt::format("  - {}\n", quoted(model));
    return fmt::format("name: {}\nmodels:\n{}seeds: [{}]\nrecipe: {}\nrecord: {}\ncheckpoints: {}\n",
                       quoted(plan.name), models, fmt::join(plan.seeds, ", "), quoted(plan.recipe),
                       quoted(plan.record), quoted(plan.checkpoints));
}

void check_seeds(const std::vector<std::uint64_t>& seeds) {
    if (seeds.empty() || seeds.size() > max_list_entries) {
        throw InputError(
            fmt::format("seeds: expected 1 to {} of them, found {}", max_list_entries, seeds.size()));
    }
    for (auto seed = seeds.begin(); seed != seeds.end(); ++seed) {
        if (*seed > static_cast<std::uint64_t>(largest_seed)) {
            throw InputError(
                fmt::format("seeds: expected whole numbers of at most {}, found {}", largest_seed, *seed));
        }
        if (std::find(seeds.begin(), seed, *seed) != seed) {
            throw InputError(fmt::format("seeds: {} stands there twice", *seed));
        }
    }
}

std::vector<PlannedRun> runs_of(const TrainingPlan& plan) {
    std::vector<PlannedRun> runs;
    for (const std::uint64_t seed : plan.seeds) {
        for (const ModelSpec& model : plan.models) runs.push_back({&model, seed});
    }
    return runs;
}

TrainingPlan parse_plan(std::string_view yaml, const std::string& origin, const fs::path& folder) {
    const YamlNode root = detail::parse_yaml(yaml, origin);
    return PlanReader(root, origin, folder).read();
}

TrainingPlan load_plan(const fs::path& file) {
    return parse_plan(detail::read_yaml_file(file, "a training plan"), file.string(), file.parent_path());
}

}  // namespace hacscale
