// Values as tensors with their axes elsewhere: each view is checked against the numbers that it names one by one.
#include "models/formats/onnx_import/detail/view.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace hacscale::detail {
namespace {

using Sizes = std::vector<std::int64_t>;

// Where in the tensor each number of the value is, row by row of the value.
Sizes places(const Axes& axes) {
    Sizes result{0};
    for (const Axis& axis : axes) {
        Sizes longer;
        for (const std::int64_t place : result) {
            for (std::int64_t i = 0; i < axis.size; ++i) longer.push_back(place + i * axis.stride);
        }
        result = longer;
    }
    return result;
}

Axes shuffled(Axes axes, std::mt19937& random) {
    std::ranges::shuffle(axes, random);
    return axes;
}

Sizes some_sizes(std::mt19937& random) {
    Sizes sizes(1 + random() % 5);
    for (std::int64_t& size : sizes) size = static_cast<std::int64_t>(1 + random() % 4);
    return sizes;
}

// The tensor after a step: its numbers are `places` of the one before it.
Sizes moved(const PermuteStep& step, std::int64_t elements) {
    Sizes sizes{step.groups};
    sizes.insert(sizes.end(), step.sizes.begin(), step.sizes.end());
    Axes axes = row_major(sizes);
    Axes result{axes.front()};
    for (const std::size_t block : step.order) result.push_back(axes[block + 1]);
    EXPECT_EQ(elements_of(result), elements);
    return places(result);
}

TEST(View, StepsBringTheNumbersIntoTheWantedOrder) {
    std::mt19937 random(3);
    for (int i = 0; i < 500; ++i) {
        const Axes axes = shuffled(row_major(some_sizes(random)), random);
        Order wanted = natural_order(axes);
        std::ranges::shuffle(wanted, random);
        const std::int64_t elements = elements_of(axes);
        Sizes tensor(static_cast<std::size_t>(elements));  // names of numbers
        std::iota(tensor.begin(), tensor.end(), 0);
        Axes now = axes;
        int steps = 0;
        while (const auto step = next_step(now, storage_order(now), wanted)) {
            ASSERT_LE(++steps, 8);
            ASSERT_LE(step->sizes.size(), 3U);
            Sizes next;
            for (const std::int64_t place : moved(*step, elements)) {
                next.push_back(tensor[static_cast<std::size_t>(place)]);
            }
            tensor = next;
            now = stored_in(now, step->result);
        }
        EXPECT_EQ(storage_order(now), wanted);
        Sizes named;
        for (const std::int64_t place : places(now)) named.push_back(tensor[static_cast<std::size_t>(place)]);
        EXPECT_EQ(named, places(axes));
    }
}

TEST(View, AReshapedValueHasTheSameNumbersInOrder) {
    std::mt19937 random(4);
    int kept = 0;
    for (int i = 0; i < 500; ++i) {
        const Sizes sizes = some_sizes(random);
        const Axes axes = i % 2 == 0 ? row_major(sizes) : shuffled(row_major(sizes), random);
        Sizes others = sizes;  // of as many elements: two axes become one, in a place of their own
        if (others.size() > 1) {
            others[0] *= others[1];
            others[1] = 1;
        }
        const auto result = reshaped(axes, others);
        if (!result) continue;
        ++kept;
        EXPECT_EQ(places(*result), places(axes));
    }
    EXPECT_GT(kept, 250);
    EXPECT_FALSE(reshaped(row_major({2, 3}), {5}));
}

TEST(View, SomeAxesComeFirstAsTheyAreStored) {
    const Axes axes{{2, 1}, {1, 7}, {5, 6}, {3, 2}};
    EXPECT_EQ(storage_order(axes), (Order{2, 3, 0}));
    EXPECT_EQ(order_with_first(axes, {0, 3}), (Order{3, 0, 2}));
    EXPECT_EQ(stored_in(axes, {0, 2, 3})[0], (Axis{2, 15}));
}

}  // namespace
}  // namespace hacscale::detail
