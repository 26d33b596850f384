// ONNX models that join, take and pad numbers along any axis of their values: each output is compared with the numbers of the
// input that it has, one by one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <random>

#include "models/formats/onnx_import/onnx_import.hpp"
#include "models/graph/graph_values.hpp"
#include "tests/models/onnx/small_models.hpp"

namespace hacscale::onnx {
namespace {

using ::testing::ElementsAre;

std::int64_t count_of(const Ints& dims) {
    return std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
}

// A value of a model, row by row.
struct Value {
    Ints dims;
    std::vector<double> numbers;

    std::size_t place(const Ints& at) const {
        std::int64_t place = 0;
        for (std::size_t axis = 0; axis < dims.size(); ++axis) place = place * dims[axis] + at[axis];
        return static_cast<std::size_t>(place);
    }
};

// Calls visit(its place along each axis) for each element, row by row.
template <typename Visit>
void for_each_place(const Ints& dims, Visit visit) {
    Ints at(dims.size(), 0);
    for (std::int64_t left = count_of(dims); left > 0; --left) {
        visit(at);
        for (std::size_t axis = dims.size(); axis-- > 0;) {
            if (++at[axis] < dims[axis]) break;
            at[axis] = 0;
        }
    }
}

Value transposed(const Value& value, const Ints& perm) {
    Value result;
    for (const std::int64_t axis : perm) result.dims.push_back(value.dims[static_cast<std::size_t>(axis)]);
    for_each_place(result.dims, [&](const Ints& at) {
        Ints from(at.size());
        for (std::size_t axis = 0; axis < at.size(); ++axis)
            from[static_cast<std::size_t>(perm[axis])] = at[axis];
        result.numbers.push_back(value.numbers[value.place(from)]);
    });
    return result;
}

Value joined(const std::vector<Value>& parts, std::size_t axis) {
    Value result{parts.front().dims, {}};
    result.dims[axis] = 0;
    for (const Value& part : parts) result.dims[axis] += part.dims[axis];
    for_each_place(result.dims, [&](Ints at) {
        auto part = parts.begin();
        for (; at[axis] >= part->dims[axis]; ++part) at[axis] -= part->dims[axis];
        result.numbers.push_back(part->numbers[part->place(at)]);
    });
    return result;
}

// The input as a value of another order, so that its axes are elsewhere in the tensor.
constexpr const char* turned = "t";
const Ints input_dims{1, 3, 4, 5};

class Axes : public ::testing::Test {
protected:
    // What the network computes, whose nodes read `turned`: the input, with its last three axes in this order.
    void check(std::vector<Node> nodes, std::vector<Tensor> constants, const Ints& perm,
               const std::function<Value(const Value&)>& expected) {
        nodes.insert(nodes.begin(), node("Transpose", {"x"}, {turned}, {{"perm", perm}}));
        const Network network =
            import_onnx(model_of(input_dims, std::move(nodes), std::move(constants)), "net");
        ASSERT_THAT(network.left_out, ::testing::IsEmpty());
        const auto inputs = random_inputs(network.graph, 1, 7);
        const Value value =
            expected(transposed(Value{input_dims, {inputs.front().begin(), inputs.front().end()}}, perm));
        const auto got = reference_graph(network.graph, 1, inputs, network.weights).front();
        ASSERT_EQ(got.size(), value.numbers.size());
        for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], value.numbers[i], 1e-6);
    }

    Ints some_perm() {
        Ints perm{1, 2, 3};
        std::ranges::shuffle(perm, random);
        perm.insert(perm.begin(), 0);
        return perm;
    }
    std::int64_t up_to(std::int64_t most) { return 1 + static_cast<std::int64_t>(random() % most); }

    std::mt19937_64 random{11};
};

TEST_F(Axes, ConstantsHaveTheirPlacesAmongValues) {
    for (int round = 0; round < 60; ++round) {
        const Ints perm = some_perm();
        const Ints dims = transposed({input_dims, std::vector<double>(60)}, perm).dims;
        const std::size_t axis = 1 + random() % 3;
        std::vector<Value> parts;  // no numbers: the value
        std::vector<std::string> names;
        std::vector<Tensor> constants;
        for (int i = 0; i < 2 + round % 3; ++i) {
            const bool computed = i == round % 2 || random() % 2 == 0;
            names.push_back(computed ? turned : "c" + std::to_string(i));
            parts.push_back({dims, {}});
            if (computed) continue;
            parts.back().dims[axis] = up_to(3);
            constants.push_back(weights(names.back(), parts.back().dims));
            const std::vector<float> numbers = constants.back().floats();
            parts.back().numbers.assign(numbers.begin(), numbers.end());
        }
        const auto place = static_cast<std::int64_t>(axis);
        check({node("Concat", names, {"y"}, {{"axis", place}})}, constants, perm, [&](const Value& value) {
            for (Value& part : parts) {
                if (part.numbers.empty()) part = value;
            }
            return joined(parts, axis);
        });
    }
}

TEST_F(Axes, ElementsAreTakenInAnyOrder) {
    for (int round = 0; round < 60; ++round) {
        const Ints perm = some_perm();
        const std::size_t axis = 1 + random() % 3;
        const std::int64_t size = input_dims[static_cast<std::size_t>(perm[axis])];
        const Ints shape = round % 3 == 0 ? Ints{up_to(3), up_to(3)} : Ints{up_to(7)};
        Ints places;
        for (std::int64_t i = count_of(shape); i > 0; --i) {
            const std::int64_t place = up_to(size) - 1;
            places.push_back(random() % 4 == 0 ? place - size : place);
        }
        check({node("Gather", {turned, "places"}, {"y"}, {{"axis", static_cast<std::int64_t>(axis)}})},
              {tensor_of("places", shape, places)}, perm, [&](const Value& value) {
                  Value result{value.dims, {}};
                  result.dims[axis] = count_of(shape);
                  for_each_place(result.dims, [&](Ints at) {
                      const std::int64_t place = places[static_cast<std::size_t>(at[axis])];
                      at[axis] = place < 0 ? place + size : place;
                      result.numbers.push_back(value.numbers[value.place(at)]);
                  });
                  return result;
              });
    }
}

TEST_F(Axes, ArePaddedEach) {
    for (int round = 0; round < 40; ++round) {
        const Ints perm = some_perm();
        Ints pads(8, 0);
        for (std::size_t side = 1; side < 8; ++side) {
            if (side != 4) pads[side] = up_to(4) - 2;
        }
        check({node("Pad", {turned, "pads"}, {"y"})}, {integers("pads", pads)}, perm,
              [&](const Value& value) {
                  Value result{value.dims, {}};
                  for (std::size_t axis = 0; axis < 4; ++axis)
                      result.dims[axis] += pads[axis] + pads[axis + 4];
                  for_each_place(result.dims, [&](Ints at) {
                      bool inside = true;
                      for (std::size_t axis = 0; axis < 4; ++axis) {
                          at[axis] -= pads[axis];
                          inside = inside && at[axis] >= 0 && at[axis] < value.dims[axis];
                      }
                      result.numbers.push_back(inside ? value.numbers[value.place(at)] : 0.0);
                  });
                  return result;
              });
    }
}

std::vector<std::string> keys_of(const Network& network) {
    std::vector<std::string> result;
    for (const hacscale::Node& node : network.graph.nodes) result.push_back(node.layer.key());
    return result;
}

TEST(OnnxImport, AClassTokenAndPositionsAreOneMap) {
    const Network network =
        import_onnx(model_of({1, 4, 2, 3},
                             {node("Reshape", {"x", "tokens"}, {"r"}),
                              node("Transpose", {"r"}, {"t"}, {{"perm", Ints{0, 2, 1}}}),
                              node("Concat", {"vit.class", "t"}, {"c"}, {{"axis", std::int64_t{1}}}),
                              node("Add", {"c", "vit.positions"}, {"y"})},
                             {integers("tokens", {1, 4, 6}), weights("vit.class", {1, 1, 4}),
                              weights("vit.positions", {1, 7, 4})}),
                    "net");
    EXPECT_THAT(keys_of(network),
                ElementsAre("reshape_i4x2x3_o4_t6x1", "pad_i4x6x1_p1x0x0x0", "map_bias_i4x7x1",
                            "permute_i4x7x1_g1_hcw", "reshape_i7x4x1_o7_t1x4"));
    EXPECT_EQ(network.graph.params(), 4 + 7 * 4);
}

// As PyTorch's unfold writes it: indices that name each row once are only axes in another order.
TEST(OnnxImport, PatchesThatDoNotOverlapAreAView) {
    const Network network =
        import_onnx(model_of({1, 2, 4, 3},
                             {node("Gather", {"x", "rows"}, {"g"}, {{"axis", std::int64_t{2}}}),
                              node("Transpose", {"g"}, {"t"}, {{"perm", Ints{0, 1, 3, 2, 4}}}),
                              node("Reshape", {"t", "same"}, {"r"}), node("Relu", {"r"}, {"y"})},
                             {tensor_of("rows", {2, 2}, Ints{0, 2, 1, 3}), integers("same", {1, 2, 4, 3})}),
                    "net");
    EXPECT_THAT(keys_of(network), ElementsAre("activation_i2x4x3_relu"));
}

TEST(OnnxImport, AConvAlongOneAxisIsOneOfMapsOfOneRow) {
    const Network network = import_onnx(
        model_of({1, 4, 9},
                 {node("Conv", {"x", "w", "b"}, {"c"},
                       {{"pads", Ints{1, 0}}, {"strides", Ints{2}}, {"dilations", Ints{2}}}),
                  node("MaxPool", {"c"}, {"p"}, {{"kernel_shape", Ints{2}}, {"pads", Ints{0, 1}}}),
                  node("ConvTranspose", {"p", "u"}, {"y"},
                       {{"strides", Ints{2}}, {"output_padding", Ints{1}}, {"pads", Ints{0, 1}}})},
                 {weights("w", {6, 4, 3}), weights("b", {6}), weights("u", {6, 5, 2})}),
        "net");
    EXPECT_THAT(network.left_out, ::testing::IsEmpty());
    EXPECT_THAT(keys_of(network),
                ElementsAre("conv_i4x1x9_o6_k1x3_s1x2_p0x1x0x0_d1x2_g1_bias",
                            "max_pool_i6x1x3_k1x2_s1_p0x0x0x1", "transposed_conv_i6x1x3_o5_k1x2_s1x2_p0_g1"));
}

// A kernel of one element along one of three axes, as lambda layers and separable video networks have it.
TEST_F(Axes, AConvOfVolumesWithAFlatKernelIsOneConvOfGroups) {
    for (const std::size_t flat : {0U, 1U, 2U}) {
        Ints kernel{2, 2, 2};
        kernel[flat] = 1;
        Ints dims{2, 1};
        dims.insert(dims.end(), kernel.begin(), kernel.end());
        const Ints perm = some_perm();
        const Tensor numbers = weights("w", dims);
        const std::vector<float> taps = numbers.floats();
        Ints shape = transposed(Value{input_dims, std::vector<double>(60)}, perm).dims;
        shape.insert(shape.begin(), 1);
        check({node("Reshape", {turned, "volume"}, {"v"}), node("Conv", {"v", "w", "b"}, {"y"})},
              {integers("volume", shape), numbers, weights("b", {2})}, perm, [&](const Value& value) {
                  Value result{{2, 0, 0, 0}, {}};
                  for (std::size_t axis = 0; axis < 3; ++axis) {
                      result.dims[axis + 1] = value.dims[axis + 1] - kernel[axis] + 1;
                  }
                  for_each_place(result.dims, [&](const Ints& at) {
                      double sum = at[0] == 0 ? 0.1F : -0.2F;
                      std::size_t tap = static_cast<std::size_t>(at[0]) * 4;
                      for_each_place(kernel, [&](const Ints& within) {
                          const Ints from{0, at[1] + within[0], at[2] + within[1], at[3] + within[2]};
                          sum += value.numbers[value.place(from)] * taps[tap++];
                      });
                      result.numbers.push_back(sum);
                  });
                  return result;
              });
    }
}

TEST_F(Axes, AConstantOfSeveralAxesIsAddedOrMultipliedWith) {
    for (const bool scales : {false, true}) {
        for (int round = 0; round < 20; ++round) {
            const Ints perm = some_perm();
            Ints dims = transposed(Value{input_dims, std::vector<double>(60)}, perm).dims;
            if (round % 2 == 0) dims[1 + random() % 3] = 1;
            const Tensor constant = weights("c", dims);
            const std::vector<float> numbers = constant.floats();
            check({node(scales ? "Mul" : "Add", {"c", turned}, {"y"})}, {constant}, perm,
                  [&](const Value& value) {
                      Value result{value.dims, {}};
                      for_each_place(result.dims, [&](Ints at) {
                          const double x = value.numbers[value.place(at)];
                          for (std::size_t axis = 0; axis < 4; ++axis) {
                              if (dims[axis] == 1) at[axis] = 0;
                          }
                          const double number = numbers[Value{dims, {}}.place(at)];
                          result.numbers.push_back(scales ? x * number : x + number);
                      });
                      return result;
                  });
        }
    }
}

}  // namespace
}  // namespace hacscale::onnx
