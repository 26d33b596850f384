#include "scaling/gain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "base/error.hpp"
#include "models/formats/formats.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale {
namespace {

using ::testing::HasSubstr;

double ln_capacity(const ModelSpec& base, const ScalingChoice& choice) {
    const Graph network = lower(scaled(base, choice));
    return 0.5 * std::log(static_cast<double>(network.params()) * static_cast<double>(network.macs()));
}

const char* const sensitivity_text = R"({
  "kind": "sensitivity", "model": "resnet20-cifar", "unit": "accuracy points",
  "stages": [
    {"name": "stage1", "width": {"coefficient": 2.5, "spread": 0.3}, "depth": {"coefficient": 1.0}},
    {"name": "stage2", "width": {"coefficient": 5.7}, "depth": {"coefficient": 2.5, "spread": 1.1}},
    {"name": "stage3", "width": {"coefficient": 4.2}, "depth": {"coefficient": 7.9}}],
  "resolution": {"coefficient": 3.0, "spread": 0.5},
  "provenance": {"epochs": 5, "seeds": [1, 2]}})";

TEST(Gain, TheBaseGainsNothing) {
    for (const std::string& name : zoo_names()) {
        const ModelSpec base = find_model(name);
        EXPECT_EQ(capacity_gain(base).of(choice_of(base)), 0.0) << name;
        EXPECT_EQ(equal_gain(base).of(choice_of(base)), 0.0) << name;
    }
}

TEST(Gain, CapacityIsExactWhereOneDimensionDoubles) {
    for (const char* name : {"resnet20-cifar", "mobilenetv2-1.0", "resnet50", "vgg16-bn"}) {
        const ModelSpec base = find_model(name);
        const Gain gain = capacity_gain(base);
        const double before = ln_capacity(base, choice_of(base));
        for (std::size_t s = 0; s < base.stages.size(); ++s) {
            ScalingChoice wider = choice_of(base);
            wider.widths[s] *= 2;
            EXPECT_NEAR(gain.of(wider), ln_capacity(base, wider) - before, 1e-9) << name;
            ScalingChoice deeper = choice_of(base);
            deeper.depths[s] *= 2;
            EXPECT_NEAR(gain.of(deeper), ln_capacity(base, deeper) - before, 1e-9) << name;
            EXPECT_GT(gain.stages[s].width.value, 0.0);
        }
        ScalingChoice larger = choice_of(base);
        larger.resolution *= 2;
        EXPECT_NEAR(gain.of(larger), ln_capacity(base, larger) - before, 1e-9) << name;
    }
}

TEST(Gain, EqualWeightsKeepTheSums) {
    const ModelSpec base = find_model("mobilenetv2-1.0");
    const Gain capacity = capacity_gain(base);
    const Gain equal = equal_gain(base);
    double sum = 0.0;
    for (const StageGain& stage : capacity.stages) sum += stage.width.value;
    for (const StageGain& stage : equal.stages) {
        EXPECT_NEAR(stage.width.value, sum / 7.0, 1e-12);
        EXPECT_EQ(stage.depth.value, equal.stages.front().depth.value);
    }
    EXPECT_EQ(equal.resolution->value, capacity.resolution->value);
}

TEST(Gain, SensitivitiesAreReadWithTheirSpread) {
    const ModelSpec base = find_model("resnet20-cifar");
    const Gain gain = parse_gain(sensitivity_text, "s.json", base);
    EXPECT_EQ(gain.origin, GainOrigin::sensitivity);
    EXPECT_EQ(gain.unit, "accuracy points");
    EXPECT_EQ(gain.stages[1].width.value, 5.7);
    EXPECT_EQ(gain.stages[1].depth.spread, 1.1);
    EXPECT_EQ(gain.resolution->value, 3.0);
    ScalingChoice choice = choice_of(base);
    choice.widths[2] = 96;
    choice.depths[0] = 6;
    choice.resolution = 40;
    EXPECT_NEAR(gain.of(choice), 4.2 * std::log(1.5) + 1.0 * std::log(2.0) + 3.0 * std::log(1.25), 1e-12);
}

TEST(Gain, ImportanceSharesOutTheWidthCoefficients) {
    const ModelSpec base = find_model("resnet20-cifar");
    const Gain capacity = capacity_gain(base);
    const Gain gain = parse_gain(R"(
kind: importance
method: taylor
layers:
  - {name: stem.conv1, importance: 100}
  - {name: stage1.block1.conv1, importance: 1}
  - {name: stage2.block1.conv1, importance: 1.5, spread: 0.3}
  - {name: stage2.block2.conv2, importance: 0.5, spread: 0.4}
  - {name: stage3.block1.conv1, importance: 5}
)",
                                 "i.yaml", base);
    EXPECT_EQ(gain.origin, GainOrigin::importance);
    double sum = 0.0;
    for (const StageGain& stage : capacity.stages) sum += stage.width.value;
    EXPECT_NEAR(gain.stages[0].width.value, sum * 1.0 / 8.0, 1e-12);
    EXPECT_NEAR(gain.stages[1].width.value, sum * 2.0 / 8.0, 1e-12);
    EXPECT_NEAR(gain.stages[1].width.spread, sum * 0.5 / 8.0, 1e-12);
    EXPECT_NEAR(gain.stages[2].width.value, sum * 5.0 / 8.0, 1e-12);
    for (std::size_t s = 0; s < 3; ++s) EXPECT_EQ(gain.stages[s].depth.value, capacity.stages[s].depth.value);
    EXPECT_EQ(gain.resolution->value, capacity.resolution->value);
}

struct BadFile {
    const char* name;
    const char* text;
    const char* expected;
};

class RefusedGainFile : public ::testing::TestWithParam<BadFile> {};

TEST_P(RefusedGainFile, NamesFileLineAndFault) {
    const ModelSpec base = find_model("resnet20-cifar");
    try {
        parse_gain(GetParam().text, "f.yaml", base);
        FAIL() << "accepted";
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), HasSubstr("f.yaml:"));
        EXPECT_THAT(error.what(), HasSubstr(GetParam().expected));
    }
}

INSTANTIATE_TEST_SUITE_P(
    Files, RefusedGainFile,
    ::testing::Values(
        BadFile{"NoYaml", "kind: [", "no valid YAML"}, BadFile{"Empty", "", "empty"},
        BadFile{"List", "[1, 2]", "kind"}, BadFile{"OtherKind", "kind: magic", "magic"},
        BadFile{"UnknownKey", "kind: sensitivity\nstagse: []",
                "f.yaml:2: a sensitivity file has no key 'stagse'"},
        BadFile{"RepeatedKey", "kind: sensitivity\nstages: []\nstages: []", "again"},
        BadFile{"NoStages", "kind: sensitivity", "needs the key 'stages'"},
        BadFile{"TooFewStages", "kind: sensitivity\nstages: []", "0 stages"},
        BadFile{"OtherModel", "kind: sensitivity\nmodel_hash: 0123\nstages: []", "hash"},
        BadFile{"OtherStageName",
                "kind: sensitivity\nstages:\n- {name: a, width: {coefficient: 1}, depth: {coefficient: "
                "1}}\n- {}\n- {}",
                "f.yaml:3: stage 1 is named 'a'"},
        BadFile{"NoNumber",
                "kind: sensitivity\nstages:\n- {name: stage1, width: {coefficient: x}, depth: {coefficient: "
                "1}}\n- {}\n- {}",
                "expected a number"},
        BadFile{
            "NotFinite",
            "kind: sensitivity\nstages:\n- {name: stage1, width: {coefficient: .nan}, depth: 1}\n- {}\n- {}",
            "expected a number"},
        BadFile{
            "TooLarge",
            "kind: sensitivity\nstages:\n- {name: stage1, width: {coefficient: 1e308}, depth: 1}\n- {}\n- {}",
            "f.yaml:3: coefficient: expected a number"},
        BadFile{"Alias", "kind: &a sensitivity\nunit: *a\nstages: []", "an anchor"},
        BadFile{"NoText", "kind: sensitivity\nunit: \xff\nstages: []", "f.yaml:2: bytes that are no UTF-8"},
        BadFile{"NegativeSpread",
                "kind: sensitivity\nstages:\n- {name: stage1, width: {coefficient: 1, spread: -1}, depth: "
                "1}\n- {}\n- {}",
                "spread"},
        BadFile{"UnknownLayer", "kind: importance\nlayers:\n- {name: nowhere, importance: 1}", "nowhere"},
        BadFile{"LayerTwice",
                "kind: importance\nlayers:\n- {name: stem.conv1, importance: 1}\n- {name: stem.conv1, "
                "importance: 1}",
                "f.yaml:4"},
        BadFile{"NothingToShare", "kind: importance\nlayers:\n- {name: stem.conv1, importance: 1}",
                "above 0"}),
    [](const auto& file) { return std::string(file.param.name); });

TEST(Gain, FilesAreTiedToTheirModelByHash) {
    const ModelSpec base = find_model("resnet20-cifar");
    const std::string text = "kind: importance\nmodel_hash: " + model_hash(base) +
                             "\nlayers:\n- {name: stage1.block1.conv1, importance: 1}\n";
    EXPECT_NO_THROW(parse_gain(text, "i.yaml", base));
    EXPECT_THROW(parse_gain(text, "i.yaml", find_model("resnet32-cifar")), InputError);
}

TEST(Gain, LoadsFromAFile) {
    const ModelSpec base = find_model("resnet20-cifar");
    const testing::TempFolder folder;
    const std::filesystem::path file = folder / "gain.json";
    std::ofstream(file) << sensitivity_text;
    EXPECT_EQ(load_gain({file}, base).origin, GainOrigin::sensitivity);
    std::filesystem::remove(file);
    EXPECT_THROW(load_gain({file}, base), InputError);
}

// Stages are worth what trainings say, and their blocks share that in the proportions of importance.
TEST(Gain, AnImportanceFileRefinesASensitivityFile) {
    const ModelSpec base = find_model("resnet20-cifar");
    const testing::TempFolder folder;
    const auto sensitivity = folder / "s.json";
    const auto importance = folder / "i.yaml";
    std::ofstream(sensitivity) << sensitivity_text;
    std::ofstream(importance) << R"(
kind: importance
layers:
  - {name: stage2.block1.conv1, importance: 3}
  - {name: stage2.block1.conv2, importance: 4}
  - {name: stage2.block2.conv1, importance: 1}
  - {name: stage3.block1.conv2, importance: 9}
)";
    const Gain alone = load_gain({sensitivity}, base);
    for (const auto& files : {std::vector{sensitivity, importance}, std::vector{importance, sensitivity}}) {
        const Gain gain = load_gain(files, base);
        EXPECT_EQ(gain.origin, GainOrigin::sensitivity);
        for (std::size_t s = 0; s < 3; ++s) {
            EXPECT_EQ(gain.stages[s].width.value, alone.stages[s].width.value);
            EXPECT_EQ(gain.stages[s].depth.value, alone.stages[s].depth.value);
        }
        EXPECT_NEAR(gain.stages[1].inner[0], alone.stages[1].width.value * 3.0 / 8.0, 1e-12);
        EXPECT_NEAR(gain.stages[1].inner[1], alone.stages[1].width.value * 1.0 / 8.0, 1e-12);
        EXPECT_EQ(gain.stages[1].inner[2], 0.0);
        EXPECT_EQ(gain.stages[0].inner[0], 0.0) << "a stage without importance";
    }
    EXPECT_THROW(load_gain({sensitivity, sensitivity}, base), InputError);
    EXPECT_THROW(load_gain({importance, importance}, base), InputError);
    EXPECT_THROW(load_gain({importance, sensitivity, importance}, base), InputError);
    EXPECT_EQ(load_gain({}, base).origin, GainOrigin::balanced);
}

TEST(Gain, UnknownResolutionIsNotGuessed) {
    const ModelSpec base = find_model("resnet20-cifar");
    Gain gain = capacity_gain(base);
    gain.resolution.reset();
    ScalingChoice choice = choice_of(base);
    EXPECT_EQ(gain.of(choice), 0.0);
    choice.resolution = 40;
    EXPECT_THROW(gain.of(choice), InputError);
}

TEST(Gain, PlannerTablesHoldTheSameGains) {
    const ModelSpec base = find_model("mobilenetv2-0.35");
    SpaceSettings settings;
    settings.resolutions = {192};
    const ScalingSpace space = make_space(base, settings);
    const Gain gain = capacity_gain(base);
    ChainProblem problem;
    for (std::size_t c = 0; c < space.resolutions.size(); ++c) {
        Chain chain;
        int previous = 1;
        for (const StageSpace& stage : space.stages) {
            const auto widths = static_cast<int>(stage.widths.size());
            chain.stages.push_back(make_stage(previous, widths, stage.depths));
            for (auto* lists : {&chain.stages.back().first, &chain.stages.back().further}) {
                for (auto& options : *lists) options.front().cost = 0;
            }
            previous = widths;
        }
        problem.chains.push_back(chain);
    }
    set_gains(problem, space, gain);
    for (int i = 0; i < 50; ++i) {
        ChainChoice indices{i % 2, {}, {}, {}};
        ScalingChoice choice;
        choice.resolution = space.resolutions[static_cast<std::size_t>(indices.chain)];
        for (std::size_t s = 0; s < space.stages.size(); ++s) {
            const std::size_t width = static_cast<std::size_t>(i * 7 + 3) % space.stages[s].widths.size();
            const std::size_t depth = static_cast<std::size_t>(i * 5 + 1) % space.stages[s].depths.size();
            indices.widths.push_back(static_cast<int>(width));
            indices.depths.push_back(static_cast<int>(depth));
            choice.widths.push_back(space.stages[s].widths[width]);
            choice.depths.push_back(space.stages[s].depths[depth]);
        }
        const double planned = static_cast<double>(totals_of(problem, indices)->gain) / gain_quanta_per_unit;
        EXPECT_NEAR(planned, gain.of(choice), 1e-8);
    }
}

TEST(Gain, InnerWidthsCountBesideWhatFollows) {
    for (const char* name : {"mobilenetv2-0.35", "resnet50", "resnet20-cifar", "efficientnet-b0"}) {
        const ModelSpec base = find_model(name);
        const Gain gain = capacity_gain(base);
        for (std::size_t s = 0; s < base.stages.size(); ++s) {
            const StageGain& stage = gain.stages[s];
            ASSERT_EQ(stage.inner.size(), static_cast<std::size_t>(base.stages[s].depth));
            double sum = 0.0;
            for (const double inner : stage.inner) {
                EXPECT_GE(inner, 0.0);
                sum += inner;
            }
            // The rest belongs to the width of the blocks' outputs.
            EXPECT_LT(sum, stage.width.value * 1.05) << name << ", stage " << s;
        }
        ScalingChoice choice = choice_of(base);
        choice.inner_widths.resize(base.stages.size());
        choice.inner_widths.back() = base.stages.back().inner_widths;
        EXPECT_EQ(gain.of(choice), 0.0);
        choice.inner_widths.back().back() *= 2;
        EXPECT_NEAR(gain.of(choice), gain.stages.back().inner.back() * std::log(2.0), 1e-12);
        // To first order what capacity itself says.
        EXPECT_NEAR(gain.of(choice), ln_capacity(base, choice) - ln_capacity(base, choice_of(base)), 1e-9);
    }
}

}  // namespace
}  // namespace hacscale
