#include "harness/compare/training_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "models/formats/model_yaml.hpp"
#include "records/record_file.hpp"
#include "scaling/strategies/strategy.hpp"
#include "training/plan.hpp"

namespace hacscale::harness {

namespace {

namespace fs = std::filesystem;

// Names of models have at most 100 letters; this leaves room for strategy and budget.
constexpr std::size_t most_letters_of_base = 60;

bool is_yaml(const fs::path& file) {
    return file.extension() == ".yaml" || file.extension() == ".yml";
}

fs::path folder_of(const fs::path& plan) {
    return fs::absolute(plan).lexically_normal().parent_path();
}

// As a plan in `folder` names it.
std::string from_folder(const fs::path& file, const fs::path& folder) {
    return fs::absolute(file).lexically_normal().lexically_proximate(folder).string();
}

// A recipe's name stands as it is. A plan takes paths without YAML's suffix for what they are, so those stay
// absolute.
std::string recipe_from_folder(const std::string& recipe, const fs::path& folder) {
    if (is_yaml(recipe)) {
        return from_folder(recipe, folder);
    }
    return recipe.find('/') == std::string::npos ? recipe : fs::absolute(recipe).string();
}

// Files to write, and the order to write them in: the plan last, when all it names is there.
class FileSet {
public:
    void add(const fs::path& file, std::string content) { files_.emplace_back(file, std::move(content)); }

    void write() const {
        for (const auto& [file, content] : files_) {
            if (fs::exists(file) && records::read_record(file) != content) {
                throw InputError(
                    fmt::format("{}: the file is there with another content and is not overwritten, for it "
                                "may be in use; "
                                "name another plan, in a folder of its own, or remove the file first",
                                file.string()));
            }
        }
        for (const auto& [file, content] : files_) {
            if (!fs::exists(file)) {
                records::write_record(file, content);
            }
        }
    }

private:
    std::vector<std::pair<fs::path, std::string>> files_;
};

std::string scaled_name(const std::string& model, const std::string& strategy, double budget) {
    return fmt::format("{}-{}-{}", model.substr(0, most_letters_of_base), strategy, budget);
}

// Plans may have fewer kinds of letters in their names than models.
std::string plan_name(const std::string& model, double budget) {
    std::string name = fmt::format("compare-{}-{}", model.substr(0, most_letters_of_base), budget);
    std::replace_if(
        name.begin(), name.end(), [](char letter) { return letter == '+' || letter == '@'; }, '-');
    return name;
}

// The row's network under a name that says where it comes from.
ModelSpec named_model(const records::StrategyRow& row, const records::ComparisonRecord& comparison) {
    ModelSpec model = parse_model(row.spec, row.strategy);
    model.source = fmt::format("{}, scaled by {} to {} times its latency", comparison.model, row.strategy,
                               comparison.budget);
    model.name = scaled_name(comparison.model, row.strategy, comparison.budget);
    return model;
}

}  // namespace

fs::path TrainingPlanRequest::record_file() const {
    return record.empty() ? folder_of(plan) / "accuracy.db" : record;
}

void check(const TrainingPlanRequest& request) {
    if (!is_yaml(request.plan)) {
        throw InputError(fmt::format("{}: expected a name that ends in .yaml for the training plan",
                                     request.plan.string()));
    }
    check_seeds(request.seeds);
}

std::map<std::string, ModelSpec> planned_choices(const TrainingPlanRequest& request, const std::string& model,
                                                 double budget) {
    std::map<std::string, ModelSpec> choices;
    if (request.plan.empty() || !fs::exists(request.plan)) {
        return choices;
    }
    for (const Strategy& strategy : strategies()) {
        const std::string name(strategy.name);
        const fs::path file = folder_of(request.plan) / (scaled_name(model, name, budget) + ".yaml");
        if (fs::exists(file)) {
            choices.emplace(name, load_model(file));
        }
    }
    return choices;
}

WrittenPlan write_training_plan(const records::ComparisonRecord& comparison,
                                const TrainingPlanRequest& request) {
    const fs::path folder = folder_of(request.plan);
    WrittenPlan written;
    FileSet files;
    PlanText plan;
    std::set<std::string> hashes;
    const auto add = [&](const ModelSpec& model, const std::string& hash, const std::string& file) {
        files.add(folder / file, to_yaml(model));
        if (hashes.insert(hash).second) {
            plan.models.push_back(file);
        }
    };
    add(parse_model(comparison.base.spec, comparison.model), comparison.base.model_hash,
        comparison.model + "-base.yaml");
    for (const records::StrategyRow& row : comparison.strategies) {
        const std::string file = scaled_name(comparison.model, row.strategy, comparison.budget) + ".yaml";
        // What could not be timed this time stays in the plan that it is in.
        const bool failed = row.status == records::StrategyStatus::failed && !fs::exists(folder / file);
        if (row.spec.empty() || failed) {
            written.left_out.push_back(row.strategy);
        } else {
            add(named_model(row, comparison), row.model_hash, file);
        }
    }
    plan.name = plan_name(comparison.model, comparison.budget);
    plan.seeds = request.seeds;
    plan.recipe = recipe_from_folder(request.recipe, folder);
    plan.record = from_folder(request.record_file(), folder);
    plan.checkpoints = request.checkpoints.empty() ? "checkpoints" : from_folder(request.checkpoints, folder);
    files.add(request.plan, to_yaml(plan));
    records::make_record_folder(folder);
    files.write();
    written.networks = static_cast<int>(plan.models.size());
    return written;
}

}  // namespace hacscale::harness
