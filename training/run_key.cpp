#include "training/run_key.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.hpp"
#include "models/formats/model_yaml.hpp"

namespace hacscale {

RunKey run_key(const ModelSpec& model, const Recipe& recipe, std::uint64_t seed,
               const std::string& data_hash) {
    return {model.name, model_hash(model), recipe.name, recipe_hash(recipe), seed, data_hash};
}

// Names are for people; the hash at the end tells apart what has the same name.
std::string folder_name(const RunKey& key) {
    const std::string identity =
        fmt::format("{} {} {} {}", key.model_hash, key.recipe_hash, key.seed, key.data_hash);
    std::string name = fmt::format("{}.{}.seed{}.{}", key.model, key.recipe, key.seed, hex_hash(identity));
    std::replace(name.begin(), name.end(), '/', '_');
    return name;
}

}  // namespace hacscale
