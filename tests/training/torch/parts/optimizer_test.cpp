#include "training/torch/optimizer.hpp"

#include <gtest/gtest.h>

#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale::training {
namespace {

TEST(MovingAverage, ForgetsTheBeginningEarly) {
    EXPECT_DOUBLE_EQ(kept_share(0.995, 0), 0.1);
    EXPECT_DOUBLE_EQ(kept_share(0.995, 90), 0.91);
    EXPECT_DOUBLE_EQ(kept_share(0.995, 100'000), 0.995);
    double before = 0.0;
    for (std::int64_t step = 0; step < 5000; ++step) {
        const double kept = kept_share(0.995, step);
        EXPECT_GE(kept, before);
        before = kept;
    }
}

TEST(MovingAverage, TakesWhatItDoesNotKeepFromItsSource) {
    const Graph lowered = lower(find_model("resnet8-cifar"));
    TorchNetwork source(lowered), average(lowered);
    source.initialize(1);
    average.initialize(2);
    MovingAverage moving(source, average);
    const at::Tensor before = average.parameters().front().detach().clone();
    moving.update(0.75);
    const at::Tensor expected = 0.75 * before + 0.25 * source.parameters().front().detach();
    EXPECT_TRUE(at::allclose(average.parameters().front(), expected));
}

}  // namespace
}  // namespace hacscale::training
