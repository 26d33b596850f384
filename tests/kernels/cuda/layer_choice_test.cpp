// How a choice is made, remembered and given up, with layers that the tests make up.
#include "kernels/cuda/layer_choice.hpp"

#include <gmock/gmock.h>

#include <atomic>

#include "base/error.hpp"
#include "kernels/cuda/device/handwritten.hpp"
#include "tests/kernels/layer_families.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale::cuda {
namespace {

using ::testing::HasSubstr;

class NamedLayer final : public CudaLayer {
public:
    explicit NamedLayer(std::string name) : name_(std::move(name)) {}
    std::string implementation() const override { return name_; }
    std::size_t weight_bytes() const override { return 0; }
    void pack_weights(const LayerWeights&, std::span<std::byte>) const override {}
    void launch(const LayerBuffers&, cudaStream_t) override {}

private:
    std::string name_;
};

class LayerChoice : public ::testing::Test {
protected:
    LayerChoice() {
        context_.layer.in_channels = context_.layer.out_channels = 8;
        context_.layer.in_height = context_.layer.in_width = 4;
    }

    ChoiceParts parts() {
        ChoiceParts parts;
        parts.candidates = [this](const LayerContext&) {
            ++searches_;
            LayerList layers;
            for (const auto& [name, time] : times_) layers.push_back(std::make_unique<NamedLayer>(name));
            return layers;
        };
        parts.sweep = [this](const LayerContext&, double seconds) {
            ++sweeps_;
            EXPECT_EQ(seconds, 2.5);
            LayerList layers;
            layers.push_back(std::make_unique<NamedLayer>("fast"));  // known already
            layers.push_back(std::make_unique<NamedLayer>("swept"));
            return layers;
        };
        parts.restore = [](const LayerContext&, const CachedChoice& choice) -> std::unique_ptr<CudaLayer> {
            if (choice.plan != "plan of " + choice.implementation) throw WorkError("another plan");
            return std::make_unique<NamedLayer>(choice.implementation);
        };
        parts.timer = [this](const LayerContext&,
                             const LayerList& candidates) -> std::function<double(std::size_t)> {
            ++timings_;
            return [this, &candidates](std::size_t i) {
                if (i == times_.size()) {
                    EXPECT_EQ(candidates.at(i)->implementation(), "swept");
                    return 5.0;
                }
                if (times_[i].second < 0.0) throw WorkError(times_[i].first + " failed");
                return times_[i].second;
            };
        };
        parts.plan_of = [](const CudaLayer& layer) { return "plan of " + layer.implementation(); };
        return parts;
    }

    // A cache as another process would find it.
    PlanCache cache() {
        return {folder_.path(), [this](const std::string& text) { warnings_.push_back(text); }};
    }

    hacscale::testing::TempFolder folder_;
    LayerContext context_;
    std::vector<std::pair<std::string, double>> times_{{"slow", 20.0}, {"fast", 10.0}};
    std::vector<std::string> warnings_;
    std::atomic<int> searches_ = 0;  // several threads search
    std::atomic<int> sweeps_ = 0;
    int timings_ = 0;
};

TEST_F(LayerChoice, TakesTheFastestOnceForAllNodesOfAShape) {
    PlanCache plans = cache();
    LayerChooser chooser(parts(), plans);
    const auto first = chooser.choose(context_);
    EXPECT_EQ(first->implementation(), "fast");
    EXPECT_EQ(chooser.choose(context_), first);
    EXPECT_EQ(searches_, 1);
    context_.batch = 2;
    EXPECT_NE(chooser.choose(context_), first);
    context_.type = DataType::f16;
    chooser.choose(context_);
    EXPECT_EQ(searches_, 3);
}

TEST_F(LayerChoice, IsRememberedByTheNextProcess) {
    {
        PlanCache plans = cache();
        LayerChooser(parts(), plans).choose(context_);
    }
    times_ = {{"slow", 1.0}, {"fast", 10.0}};
    PlanCache plans = cache();
    EXPECT_EQ(LayerChooser(parts(), plans).choose(context_)->implementation(), "fast");
    EXPECT_EQ(searches_, 1);
    EXPECT_TRUE(warnings_.empty());
}

TEST_F(LayerChoice, IsMadeAnewWhenTheRememberedPlanDoesNotFit) {
    PlanCache plans = cache();
    plans.remember(plan_key(context_), {"fast", "plan of something else"});
    EXPECT_EQ(LayerChooser(parts(), plans).choose(context_)->implementation(), "fast");
    EXPECT_EQ(searches_, 1);
    ASSERT_EQ(warnings_.size(), 1U);
    EXPECT_THAT(warnings_.front(), HasSubstr("another plan"));
    const CachedChoice expected{"fast", "plan of fast"};
    EXPECT_EQ(plans.find(plan_key(context_)), expected);
}

TEST_F(LayerChoice, WhatWasPreparedIsNotSearchedAgain) {
    PlanCache plans = cache();
    LayerChooser chooser(parts(), plans);
    std::vector<LayerContext> contexts;
    for (int i = 0; i < 40; ++i) {
        LayerContext context = context_;
        context.layer.out_channels = 8 * (1 + i % 20);  // each shape twice
        contexts.push_back(context);
    }
    chooser.prepare(contexts);
    EXPECT_EQ(searches_, 20);
    EXPECT_EQ(timings_, 0) << "only choose() uses the device";
    for (const LayerContext& context : contexts) EXPECT_EQ(chooser.choose(context)->implementation(), "fast");
    chooser.prepare(contexts);
    EXPECT_EQ(searches_, 20);
    EXPECT_EQ(timings_, 20);
}

TEST_F(LayerChoice, PreparesFromWhatTheLastProcessRemembered) {
    {
        PlanCache plans = cache();
        LayerChooser(parts(), plans).choose(context_);
    }
    PlanCache plans = cache();
    LayerChooser chooser(parts(), plans);
    chooser.prepare({context_});
    EXPECT_EQ(chooser.choose(context_)->implementation(), "fast");
    EXPECT_EQ(searches_, 1);
    EXPECT_EQ(timings_, 1);
}

TEST_F(LayerChoice, AFailureInPreparingIsThatOfItsLayer) {
    ChoiceParts failing = parts();
    failing.candidates = [inner = failing.candidates](const LayerContext& context) {
        if (context.batch == 3) throw UnsupportedLayer("no kernel for batch 3");
        return inner(context);
    };
    PlanCache plans = cache();
    LayerChooser chooser(failing, plans);
    LayerContext unsupported = context_;
    unsupported.batch = 3;
    chooser.prepare({unsupported, context_});
    EXPECT_EQ(chooser.choose(context_)->implementation(), "fast");
    EXPECT_THROW(chooser.choose(unsupported), UnsupportedLayer);
    EXPECT_THROW(chooser.choose(unsupported), UnsupportedLayer);
}

TEST_F(LayerChoice, ASingleCandidateNeedsNoTiming) {
    times_ = {{"only", 10.0}};
    PlanCache plans = cache();
    EXPECT_EQ(LayerChooser(parts(), plans).choose(context_)->implementation(), "only");
    EXPECT_EQ(timings_, 0);
}

TEST_F(LayerChoice, PassesOverWhatCannotRun) {
    times_ = {{"broken", -1.0}, {"slow", 20.0}};
    PlanCache plans = cache();
    EXPECT_EQ(LayerChooser(parts(), plans).choose(context_)->implementation(), "slow");
}

// That is no lack of a kernel: there were candidates.
TEST_F(LayerChoice, FailsWithTheLayersNameWhenAllCandidatesFail) {
    times_ = {{"first", -1.0}, {"second", -1.0}};
    PlanCache plans = cache();
    LayerChooser chooser(parts(), plans);
    try {
        chooser.choose(context_);
        FAIL();
    } catch (const WorkError& error) {
        EXPECT_THAT(error.what(), HasSubstr(context_.layer.key()));
        EXPECT_THAT(error.what(), HasSubstr("first failed"));
    }
}

TEST_F(LayerChoice, SweepsTheMostFrequentShapesOnce) {
    std::vector<LayerContext> contexts;
    for (int i = 0; i < 12; ++i) {
        LayerContext context = context_;
        context.layer.out_channels = 8 * (1 + i);
        contexts.push_back(context);
        if (i >= 2) contexts.push_back(context);  // the first two shapes are rarer than the others
    }
    for (const int expected : {10, 10}) {  // a second process has nothing left to sweep
        PlanCache plans = cache();
        LayerChooser chooser(parts(), plans, 2.5);
        chooser.prepare(contexts);
        EXPECT_EQ(chooser.choose(contexts[0])->implementation(), "fast");
        EXPECT_EQ(chooser.choose(contexts[2])->implementation(), "swept");
        EXPECT_EQ(chooser.choose(contexts.back())->implementation(), "swept");
        for (const LayerContext& context : contexts) chooser.choose(context);
        EXPECT_EQ(sweeps_, expected);
    }
    EXPECT_TRUE(warnings_.empty());
}

TEST_F(LayerChoice, ALayerByItselfIsNotSwept) {
    PlanCache plans = cache();
    LayerChooser chooser(parts(), plans, 2.5);
    chooser.prepare({context_});
    EXPECT_EQ(chooser.choose(context_)->implementation(), "fast");
    EXPECT_EQ(sweeps_, 0);
}

TEST(SweepSeconds, AreANumber) {
    const auto read = [](const char* text) {
        setenv("HACSCALE_PLAN_SWEEP", text, 1);
        return sweep_seconds();
    };
    EXPECT_EQ(read("2.5"), 2.5);
    EXPECT_EQ(read(""), 0.0);
    for (const char* wrong : {"much", "-1", "3 s", "inf", "nan"}) {
        EXPECT_THROW(read(wrong), InputError) << wrong;
    }
    unsetenv("HACSCALE_PLAN_SWEEP");
    EXPECT_EQ(sweep_seconds(), 0.0);
}

TEST_F(LayerChoice, OwnKernelsAreFoundByTheirName) {
    context_.layer.groups = 8;
    context_.layer.window = Window::square(3, 1, 1);
    context_.device.multiprocessors = 132;
    context_.device.compute_capability = 90;
    for (const auto& layer : handwritten_candidates(context_)) {
        const auto found = handwritten_layer(context_, layer->implementation());
        EXPECT_EQ(found->implementation(), layer->implementation());
    }
    EXPECT_THROW(handwritten_layer(context_, "hacscale no such kernel"), WorkError);
}

}  // namespace
}  // namespace hacscale::cuda
