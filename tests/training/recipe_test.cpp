#include "training/recipe.hpp"

#include <gmock/gmock.h>

#include "training_support.hpp"

namespace hacscale {
namespace {

using hacscale::testing::error_of;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr const char* minimal = "name: r\nepochs: 4\nschedule: cosine\npeak_learning_rate: 0.1\n";

std::string unsupported_recipe_reason(const std::string& yaml) {
    return error_of<InputError>([&] { parse_recipe(yaml, "r.yaml"); });
}

TEST(Recipe, ThoseThatComeWithTheProgramCanBeRead) {
    EXPECT_THAT(recipe_names(), Contains("short"));
    EXPECT_THAT(recipe_names(), Contains("standard"));
    for (const std::string& name : recipe_names()) {
        const Recipe recipe = find_recipe(name);
        EXPECT_EQ(recipe.name, name);
        EXPECT_EQ(parse_recipe(to_yaml(recipe), "again"), recipe);
    }
    EXPECT_EQ(find_recipe("standard").epochs, 200);
    EXPECT_EQ(find_recipe("short").epochs, 16);
}

TEST(Recipe, AnUnknownNameIsRefusedWithNearMisses) {
    const std::string text = error_of<InputError>([] { find_recipe("shrt"); });
    EXPECT_THAT(text, HasSubstr("did you mean 'short'"));
    EXPECT_THAT(error_of<InputError>([] { find_recipe("nowhere/r.yaml"); }), HasSubstr("nowhere/r.yaml"));
}

TEST(Recipe, EveryKeyIsWrittenAndReadBack) {
    Recipe recipe = parse_recipe(minimal, "r.yaml");
    recipe.batch = 96;
    recipe.momentum = 0.85;
    recipe.nesterov = false;
    recipe.schedule = LearningRateSchedule::one_cycle;
    recipe.peak_learning_rate = 0.123456789;
    recipe.warmup_epochs = 1.5;
    recipe.weight_decay = 1e-4;
    recipe.label_smoothing = 0.1;
    recipe.ema_decay = 0.999;
    recipe.augmentation = {false, 2, 8};
    recipe.precision = TrainingPrecision::f32;
    recipe.channels_last = false;
    EXPECT_EQ(parse_recipe(to_yaml(recipe), "again"), recipe);
}

// YAML takes some plain words for other things than text.
TEST(Recipe, AnyNameIsWrittenAndReadBack) {
    for (const char* name : {"null", "true", "-", "1.5"}) {
        Recipe recipe = parse_recipe(minimal, "r.yaml");
        recipe.name = name;
        EXPECT_EQ(parse_recipe(to_yaml(recipe), "again"), recipe) << name;
    }
}

TEST(Recipe, TheHashIsOfWhatItDoesNotOfItsName) {
    Recipe recipe = parse_recipe(minimal, "r.yaml");
    const std::string hash = recipe_hash(recipe);
    recipe.name = "other";
    EXPECT_EQ(recipe_hash(recipe), hash);
    recipe.augmentation.cutout = 8;
    EXPECT_NE(recipe_hash(recipe), hash);
}

TEST(Recipe, KeysThatCameLaterLeaveOlderHashesAsTheyWere) {
    // Records name these.
    EXPECT_EQ(recipe_hash(find_recipe("short")), "9a7bca2246da2125");
    Recipe recipe = parse_recipe(minimal, "r.yaml");
    const std::string hash = recipe_hash(recipe);
    recipe.augmentation.mixup = 0.2;
    EXPECT_NE(recipe_hash(recipe), hash);
    recipe.augmentation.mixup = 0.0;
    recipe.augmentation.random_erasing = 0.1;
    EXPECT_NE(recipe_hash(recipe), hash);
    recipe.augmentation.random_erasing = 0.0;
    recipe.augmentation.random_resized_crop = RandomResizedCrop{};
    EXPECT_NE(recipe_hash(recipe), hash);
    recipe.augmentation.random_resized_crop.reset();
    EXPECT_EQ(recipe_hash(recipe), hash);
}

TEST(Recipe, AugmentationsOfLargerImagesAreReadAndWritten) {
    const std::string text = minimal;
    const Recipe recipe = parse_recipe(
        text + "augmentation: {random_resized_crop: {scale: [0.25, 1]}, random_erasing: 0.1, mixup: 0.2}\n",
        "r.yaml");
    ASSERT_TRUE(recipe.augmentation.random_resized_crop.has_value());
    EXPECT_EQ(recipe.augmentation.random_resized_crop->min_scale, 0.25);
    EXPECT_EQ(recipe.augmentation.random_resized_crop->max_ratio, 4.0 / 3.0);
    EXPECT_EQ(recipe.augmentation.crop_padding, 0);
    EXPECT_EQ(recipe.augmentation.random_erasing, 0.1);
    EXPECT_EQ(recipe.augmentation.mixup, 0.2);
    EXPECT_EQ(parse_recipe(to_yaml(recipe), "again"), recipe);
    const auto reason = [&](const std::string& augmentation) {
        return unsupported_recipe_reason(text + "augmentation: {" + augmentation + "}\n");
    };
    EXPECT_THAT(reason("random_resized_crop: {}, crop_padding: 4"),
                HasSubstr("r.yaml:5: crop_padding: expected 0"));
    EXPECT_THAT(reason("random_resized_crop: {scale: [1, 0.25]}"), HasSubstr("the smaller number first"));
    EXPECT_THAT(reason("random_resized_crop: {scale: 0.5}"), HasSubstr("the smallest and the largest"));
    EXPECT_THAT(reason("random_resized_crop: {scale: [0, 1]}"), HasSubstr("scale"));
    EXPECT_THAT(reason("random_resized_crop: {ratios: [0.5, 2]}"), HasSubstr("did you mean 'ratio'"));
    EXPECT_THAT(reason("random_erasing: 1.5"), HasSubstr("random_erasing"));
    EXPECT_THAT(reason("mixup: 3"), HasSubstr("mixup"));
    EXPECT_THAT(reason("mixup: 0.001"), HasSubstr("mixup: expected 0, or 0.01 to 2"));
}

TEST(Recipe, StepsNeedTheirEpochs) {
    const std::string text =
        "name: r\nepochs: 90\npeak_learning_rate: 0.1\nwarmup_epochs: 0\nschedule: step\n";
    const Recipe recipe = parse_recipe(text + "decay_epochs: [30, 60]\n", "r.yaml");
    EXPECT_EQ(parse_recipe(to_yaml(recipe), "again"), recipe);
    for (const auto& [epoch, rate] : {std::pair(0, 0.1), std::pair(29, 0.1), std::pair(30, 0.01),
                                      std::pair(59, 0.01), std::pair(60, 0.001), std::pair(89, 0.001)}) {
        EXPECT_DOUBLE_EQ(learning_rate(recipe, epoch * 100L, 100), rate) << epoch;
        EXPECT_DOUBLE_EQ(learning_rate(recipe, epoch * 100L + 99, 100), rate) << epoch;
    }
    EXPECT_THAT(unsupported_recipe_reason(text), HasSubstr("needs the key 'decay_epochs'"));
    EXPECT_THAT(unsupported_recipe_reason(text + "decay_epochs: [60, 30]\n"), HasSubstr("ascending"));
    EXPECT_THAT(unsupported_recipe_reason(text + "decay_epochs: [90]\n"), HasSubstr("from 1 to 89"));
    EXPECT_THAT(unsupported_recipe_reason(std::string(minimal) + "decay_factor: 0.2\n"),
                HasSubstr("only the schedule step has it"));
}

TEST(Recipe, StretchesWithItsSchedule) {
    Recipe recipe = parse_recipe(minimal, "r.yaml");
    recipe.epochs = 90;
    recipe.warmup_epochs = 5.0;
    recipe.schedule = LearningRateSchedule::step;
    recipe.decay_epochs = {30, 60};
    const Recipe longer = stretched(recipe, 135, "resnet56");
    EXPECT_EQ(longer.epochs, 135);
    EXPECT_EQ(longer.warmup_epochs, 7.5);
    EXPECT_EQ(longer.decay_epochs, (std::vector{45, 90}));
    EXPECT_EQ(longer.name, "r-flops-of-resnet56");
    EXPECT_NE(recipe_hash(longer), recipe_hash(recipe));
    EXPECT_EQ(parse_recipe(to_yaml(longer), "again"), longer);
    EXPECT_EQ(stretched(recipe, 90, "resnet56"), recipe);
    EXPECT_EQ(stretched(recipe, 91, "a@b+c").name, "r-flops-of-a-b-c");
    EXPECT_EQ(stretched(recipe, 2, "resnet56").decay_epochs, std::vector{1});
    EXPECT_TRUE(stretched(recipe, 1, "resnet56").decay_epochs.empty());
    EXPECT_EQ(epochs_of_equal_flops(recipe, 40e6, 60e6), 135);
    EXPECT_EQ(epochs_of_equal_flops(recipe, 40e6, 40.1e6), 90);
    EXPECT_EQ(epochs_of_equal_flops(recipe, 40e6, 1), 1);
    EXPECT_THAT(error_of<InputError>([&] { epochs_of_equal_flops(recipe, 1.0, 1e9); }),
                HasSubstr("at most 100000"));
}

TEST(Recipe, RefusesWithFileAndLine) {
    const std::string text = minimal;
    EXPECT_THAT(unsupported_recipe_reason(text + "bath: 3\n"),
                HasSubstr("r.yaml:5: a recipe has no key 'bath'; did you mean 'batch'"));
    EXPECT_THAT(unsupported_recipe_reason(text + "epochs: 5\n"), HasSubstr("r.yaml:5"));
    EXPECT_THAT(unsupported_recipe_reason(text + "batch: \"3\"\n"),
                HasSubstr("r.yaml:5: batch: expected a whole number"));
    EXPECT_THAT(unsupported_recipe_reason(text + "momentum: 1\n"),
                HasSubstr("momentum: expected a number from 0 to 0.9999, found"));
    EXPECT_THAT(unsupported_recipe_reason(text + "ema_decay: nan\n"), HasSubstr("ema_decay"));
    EXPECT_THAT(unsupported_recipe_reason(text + "warmup_epochs: 5\n"),
                HasSubstr("warmup_epochs: expected a number from 0 to 4"));
    EXPECT_THAT(unsupported_recipe_reason(text + "precision: f16\n"),
                HasSubstr("precision: expected f32 or bf16"));
    EXPECT_THAT(unsupported_recipe_reason(text + "augmentation: {flop: true}\n"),
                HasSubstr("did you mean 'flip'"));
    EXPECT_THAT(unsupported_recipe_reason(text + "momentum: 0\n"), HasSubstr("nesterov"));
    EXPECT_THAT(unsupported_recipe_reason("name: r\nepochs: 4\nschedule: steps\npeak_learning_rate: 1\n"),
                HasSubstr("r.yaml:3: schedule: expected one_cycle or cosine"));
    EXPECT_THAT(unsupported_recipe_reason("name: r\nepochs: 4\nschedule: cosine\npeak_learning_rate: 0\n"),
                HasSubstr("r.yaml:4"));
    EXPECT_THAT(unsupported_recipe_reason("name: a/b\nepochs: 4\nschedule: cosine\npeak_learning_rate: 1\n"),
                HasSubstr("r.yaml:1"));
    EXPECT_THAT(unsupported_recipe_reason("epochs: 4\n"), HasSubstr("needs the key 'name'"));
    EXPECT_THAT(unsupported_recipe_reason(""), HasSubstr("r.yaml"));
}

TEST(LearningRate, RisesToThePeakAndFallsToZero) {
    for (const LearningRateSchedule schedule :
         {LearningRateSchedule::one_cycle, LearningRateSchedule::cosine}) {
        Recipe recipe = parse_recipe(minimal, "r.yaml");
        recipe.schedule = schedule;
        recipe.epochs = 10;
        recipe.warmup_epochs = 2.0;
        const long steps = 50;
        double highest = 0.0;
        double before = 0.0;
        for (long step = 0; step < 500; ++step) {
            const double rate = learning_rate(recipe, step, steps);
            EXPECT_GT(rate, 0.0);
            EXPECT_LE(rate, recipe.peak_learning_rate);
            if (step > 0) {
                EXPECT_EQ(rate > before, step <= 100) << step;
            }
            before = rate;
            highest = std::max(highest, rate);
        }
        EXPECT_NEAR(highest, recipe.peak_learning_rate, 0.01 * recipe.peak_learning_rate);
        EXPECT_LT(before, 0.005 * recipe.peak_learning_rate);
    }
}

TEST(LearningRate, WarmupMayTakeAllOrNothing) {
    Recipe recipe = parse_recipe(minimal, "r.yaml");
    recipe.warmup_epochs = recipe.epochs;
    EXPECT_GT(learning_rate(recipe, 39, 10), learning_rate(recipe, 38, 10));
    recipe.warmup_epochs = 0.0;
    EXPECT_NEAR(learning_rate(recipe, 0, 10), recipe.peak_learning_rate, 1e-3);
}

}  // namespace
}  // namespace hacscale
