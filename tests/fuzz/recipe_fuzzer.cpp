// A recipe: what is read is the same when it was written and read again, and has a learning rate at every step.
#include <cmath>

#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/fuzzers.hpp"
#include "training/recipe.hpp"

namespace hacscale::fuzzing {

void fuzz_recipe(std::string_view bytes) {
    const auto recipe = accepted(bytes, [&] { return parse_recipe(bytes, "fuzzed.yaml"); });
    if (!recipe) return;
    const Recipe again = parse_recipe(to_yaml(*recipe), "written.yaml");
    require(again == *recipe, "a recipe is another one when it was written");
    require(recipe_hash(again) == recipe_hash(*recipe), "a recipe has another hash when it was written");
    constexpr long steps_per_epoch = 390;
    for (const long step : {0L, steps_per_epoch, recipe->epochs * steps_per_epoch - 1}) {
        const double rate = learning_rate(*recipe, step, steps_per_epoch);
        require(std::isfinite(rate) && rate > 0.0, "a learning rate is not above 0");
    }
}

}  // namespace hacscale::fuzzing
