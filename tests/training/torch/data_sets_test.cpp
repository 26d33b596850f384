// Training on folders of JPEG images, and with augmentations that mix and resize.
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "models/formats/formats.hpp"
#include "tests/temp_folder.hpp"
#include "tests/training/torch/made_up_data.hpp"
#include "tests/training/torch/module_fixture.hpp"
#ifdef HACSCALE_JPEG
#include "tests/training/jpeg_support.hpp"
#endif

namespace hacscale {
namespace {

constexpr const char* model_yaml = R"(name: tiny
source: made up
input: {channels: 3, resolution: 16}
classes: 3
stem:
  - conv: {width: 8, kernel: 3, stride: 2}
stages:
  - {name: stage1, block: basic, width: 8, depth: 1, stride: 2}
head:
  - global_avg_pool
  - linear: {}
)";

constexpr const char* recipe_yaml = R"(name: mixing
epochs: 3
batch: 18
schedule: step
decay_epochs: [2]
peak_learning_rate: 0.1
warmup_epochs: 1
label_smoothing: 0.1
precision: f32
augmentation: {random_resized_crop: {scale: [0.25, 1]}, random_erasing: 0.25, mixup: 0.2}
)";

// What a training came to, to the bit.
struct Outcome {
    std::vector<double> accuracies;
    std::vector<std::vector<float>> weights;
    bool operator==(const Outcome&) const = default;
};

class DataSetsTest : public TrainerModuleTest {
protected:
    Outcome outcome_of(const TrainingRequest& request) const {
        const auto result = trainer().train(request, {});
        EXPECT_TRUE(result.has_value());
        Outcome outcome{{result->train_accuracy, result->validation_accuracy, result->test_accuracy}, {}};
        for (const LayerWeights& layer : trainer().folded_weights(request.model, request.checkpoint_folder)) {
            outcome.weights.push_back(layer.weights);
            outcome.weights.push_back(layer.bias);
        }
        return outcome;
    }
    TrainingRequest request(const std::string& run) const {
        TrainingRequest made;
        made.model = parse_model(model_yaml, "tiny.yaml");
        made.recipe = parse_recipe(recipe_yaml, "mixing.yaml");
        made.data = folder_ / "data";
        made.checkpoint_folder = folder_ / run;
        made.threads = 1;
        return made;
    }

    const testing::TempFolder folder_;
};

TEST_F(DataSetsTest, MixedImagesAreLearned) {
    testing_data::write_made_up_data(folder_ / "data", 40);
    TrainingRequest mixing = request("run");
    mixing.model.resolution = 32;
    mixing.model.classes = 10;
    mixing.recipe.epochs = 12;
    mixing.recipe.decay_epochs = {10};
    mixing.recipe.augmentation = Augmentation{true, 0, 0};
    mixing.recipe.augmentation.mixup = 0.2;
    const Outcome outcome = outcome_of(mixing);
    EXPECT_GT(outcome.accuracies[2], 0.3);  // a guess is right in 0.1
    mixing.checkpoint_folder = folder_ / "again";
    EXPECT_EQ(outcome_of(mixing), outcome);
}

#ifdef HACSCALE_JPEG

TEST_F(DataSetsTest, ImagesThatAreDecodedOnTheWayGiveTheNumbersOfThoseInMemory) {
    testing::write_image_folder(folder_ / "data", 3, 20, 4,
                                [](int i) { return std::pair(16 + i * 7 % 30, 16 + i * 11 % 40); });
    const Outcome kept = outcome_of(request("kept"));
    TrainingRequest decoding = request("decoded");
    decoding.image_memory = 0;
    EXPECT_EQ(outcome_of(decoding), kept);
    EXPECT_EQ(outcome_of(request("again")), kept);
}

TEST_F(DataSetsTest, NetworksAndImagesThatDoNotFitAreRefused) {
    testing::write_image_folder(folder_ / "data", 3, 20, 4, [](int) { return std::pair(20, 24); });
    TrainingRequest other = request("run");
    other.model.classes = 4;
    EXPECT_THROW(trainer().train(other, {}), InputError);
    TrainingRequest larger = request("run");
    larger.model.resolution = 32;
    EXPECT_THROW(trainer().train(larger, {}), InputError);
    std::filesystem::resize_file(folder_ / "data/val/n02/image1.JPEG", 300);
    EXPECT_THROW(trainer().train(request("run"), {}), InputError);
}

#endif

}  // namespace
}  // namespace hacscale
