// Writes the files that the fuzzer starts from: small models that together have every operator and every pass of simplify().
//   onnx_seeds FOLDER
#include <filesystem>
#include <string>
#include <vector>

#include "models/formats/onnx/onnx.hpp"
#include "tests/models/onnx/small_models.hpp"

namespace {

using namespace hacscale::onnx;  // NOLINT(google-build-using-namespace): every second word below is of it

Attributes window(std::int64_t kernel, std::int64_t stride, std::int64_t pad) {
    return {
        {"kernel_shape", Ints{kernel, kernel}}, {"strides", Ints{stride, stride}}, {"pads", Ints(4, pad)}};
}

Attributes axis(std::int64_t number) {
    return {{"axis", number}};
}

Model classifier() {
    return model_of(
        {1, 3, 8, 8},
        {node("Pad", {"x", "p"}, {"a"}), node("Conv", {"a", "w"}, {"b"}, window(3, 2, 0)),
         node("BatchNormalization", {"b", "s", "s", "s", "v"}, {"c"}), node("Relu", {"c"}, {"d"}),
         node("MaxPool", {"d"}, {"e"},
              {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"ceil_mode", std::int64_t{1}}}),
         node("AveragePool", {"e"}, {"f"}, window(1, 1, 0)), node("GlobalAveragePool", {"f"}, {"g"}),
         node("Flatten", {"g"}, {"h"}), node("Gemm", {"h", "fc", "fb"}, {"i"}, {{"transB", std::int64_t{1}}}),
         node("Softmax", {"i"}, {"y"})},
        {integers("p", {0, 0, 1, 1, 0, 0, 1, 1}), weights("w", {4, 3, 3, 3}), weights("s", {4}),
         tensor_of("v", {4}, Floats{1, 1, 1, 1}), weights("fc", {5, 4}), weights("fb", {5})});
}

Model gated() {
    return model_of(
        {1, 4, 6, 6},
        {node("Conv", {"x", "w"}, {"a"},
              {{"group", std::int64_t{4}}, {"auto_pad", std::string("SAME_UPPER")}}),
         node("Clip", {"a", "0", "6"}, {"b"}), node("ReduceMean", {"b"}, {"c"}, {{"axes", Ints{2, 3}}}),
         node("HardSigmoid", {"c"}, {"d"}, {{"alpha", 1.0F / 6}}), node("Mul", {"b", "d"}, {"e"}),
         node("Sigmoid", {"e"}, {"f"}), node("Mul", {"e", "f"}, {"g"}), node("Div", {"g", "6"}, {"h"}),
         node("Erf", {"h"}, {"i"}), node("PRelu", {"i", "slope"}, {"j"}), node("Sub", {"j", "6"}, {"k"}),
         node("Max", {"k", "0"}, {"y"})},
        {weights("w", {4, 1, 3, 3}), scalar("0", 0), scalar("6", 6), weights("slope", {4, 1, 1})});
}

Model shapes() {
    return model_of(
        {2, 6, 4, 4},
        {node("Shape", {"x"}, {"s"}), node("Gather", {"s", "i"}, {"n"}),
         node("Unsqueeze", {"n", "first"}, {"n1"}), node("Concat", {"n1", "rest"}, {"t"}, axis(0)),
         node("Reshape", {"x", "t"}, {"a"}), node("Transpose", {"a"}, {"b"}, {{"perm", Ints{0, 2, 1, 3, 4}}}),
         node("Reshape", {"b", "s"}, {"c"}), node("Split", {"c"}, {"d", "e"}, axis(1)),
         node("Concat", {"e", "d"}, {"f"}, axis(1)),
         node("Slice", {"f", "first", "four", "two", "two"}, {"g"}),
         node("Unsqueeze", {"g", "first"}, {"g1"}), node("Squeeze", {"g1", "first"}, {"h"}),
         node("Expand", {"h", "ones"}, {"j"}), node("Tile", {"j", "ones"}, {"k"}),
         node("Cast", {"k"}, {"y"}, {{"to", std::int64_t{10}}})},
        {tensor_of("i", {}, Ints{0}), integers("first", {0}), integers("four", {4}), integers("two", {2}),
         integers("rest", {3, 2, 4, 4}), integers("ones", {1, 1, 1, 1})});
}

Model folded() {
    return model_of(
        {1, 4, 4, 4},
        {node("ConstantOfShape", {"n"}, {"a"}, {{"value", integers("", {2})}}),
         node("Range", {"0", "4", "1"}, {"b"}),
         node("Constant", {}, {"c"}, {{"value_ints", Ints{0, 1, 2, 3}}}), node("Equal", {"b", "c"}, {"d"}),
         node("Where", {"d", "b", "c"}, {"e"}), node("Mod", {"e", "4"}, {"f"}),
         node("Cast", {"f"}, {"g"}, {{"to", std::int64_t{1}}}), node("Reshape", {"g", "column"}, {"h"}),
         node("Sqrt", {"h"}, {"i"}), node("ReduceMean", {"w"}, {"j"}, {{"axes", Ints{1, 2, 3}}}),
         node("Sub", {"w", "j"}, {"k"}), node("Conv", {"x", "k"}, {"l"}), node("Mul", {"l", "i"}, {"m"}),
         node("Pow", {"m", "g1"}, {"y"})},
        {integers("n", {4}), tensor_of("0", {}, Ints{0}), tensor_of("4", {}, Ints{4}),
         tensor_of("1", {}, Ints{1}), integers("column", {4, 1, 1}), weights("w", {4, 4, 1, 1}),
         scalar("g1", 2)});
}

Model channels_last() {
    return model_of(
        {1, 8, 4, 4},
        {node("Transpose", {"x"}, {"a"}, {{"perm", Ints{0, 2, 3, 1}}}),
         node("ReduceMean", {"a"}, {"m"}, {{"axes", Ints{-1}}}), node("Sub", {"a", "m"}, {"b"}),
         node("Pow", {"b", "two"}, {"c"}), node("ReduceMean", {"c"}, {"d"}, {{"axes", Ints{-1}}}),
         node("Add", {"d", "eps"}, {"e"}), node("Sqrt", {"e"}, {"f"}), node("Div", {"b", "f"}, {"g"}),
         node("Mul", {"g", "s"}, {"h"}), node("Add", {"h", "s"}, {"i"}), node("MatMul", {"i", "w"}, {"j"}),
         node("Add", {"s", "j"}, {"k"}), node("Gelu", {"k"}, {"l"}),
         node("Transpose", {"l"}, {"n"}, {{"perm", Ints{0, 3, 1, 2}}}), node("Add", {"n", "x"}, {"y"})},
        {scalar("two", 2), scalar("eps", 1e-6F), weights("s", {8}), weights("w", {8, 8})}, 20);
}

Model resized() {
    return model_of(
        {1, 4, 4, 4},
        {node("Resize", {"x", "", "s"}, {"a"}, {{"mode", std::string("linear")}}),
         node("Pad", {"a", "p"}, {"b"}, {{"mode", std::string("reflect")}}),
         node("ConvTranspose", {"b", "w"}, {"c"}, {{"strides", Ints{2, 2}}, {"output_padding", Ints{1, 1}}}),
         node("DepthToSpace", {"c"}, {"d"}, {{"blocksize", std::int64_t{2}}}),
         node("SpaceToDepth", {"d"}, {"e"}, {{"blocksize", std::int64_t{2}}}),
         node("LRN", {"e"}, {"y"}, {{"size", std::int64_t{3}}})},
        {tensor_of("s", {4}, Floats{1, 1, 2, 2}), integers("p", {0, 0, 1, 1, 0, 0, 1, 1}),
         weights("w", {4, 4, 3, 3})});
}

Model normalized() {
    return model_of(
        {1, 4, 4, 4},
        {node("Reshape", {"x", "g"}, {"a"}), node("InstanceNormalization", {"a", "ones", "zeros"}, {"b"}),
         node("Reshape", {"b", "w"}, {"c"}), node("Mul", {"c", "s"}, {"d"}),
         node("GroupNormalization", {"d", "t", "t"}, {"e"}, {{"num_groups", std::int64_t{2}}}),
         node("LayerNormalization", {"e", "t"}, {"f"}), node("ReduceL2", {"f", "hw"}, {"h"}),
         node("ReduceMean", {"h", "one"}, {"i"}), node("Add", {"i", "eps"}, {"j"}),
         node("Div", {"h", "j"}, {"k"}), node("Mul", {"f", "k"}, {"l"}), node("Mul", {"l", "s"}, {"m"}),
         node("Add", {"m", "s"}, {"n"}), node("Add", {"f", "n"}, {"y"})},
        {integers("g", {0, 2, -1}), tensor_of("ones", {2}, Floats{1, 1}),
         tensor_of("zeros", {2}, Floats{0, 0}), integers("w", {1, 4, 4, 4}), weights("s", {4, 1, 1}),
         weights("t", {4}), integers("hw", {2, 3}), integers("one", {1}), scalar("eps", 1e-6F)},
        21);
}

// Norms that take no mean off: of a group, of each channel, over the channels.
Model uncentered() {
    return model_of({1, 4, 4, 4},
                    {node("Reshape", {"x", "g"}, {"a"}),
                     node("ReduceMean", {"a"}, {"b"}, {{"axes", Ints{2}}}),
                     node("Sub", {"a", "b"}, {"c"}),
                     node("Mul", {"c", "c"}, {"d"}),
                     node("ReduceMean", {"d"}, {"e"}, {{"axes", Ints{2}}}),
                     node("Add", {"e", "eps"}, {"f"}),
                     node("Sqrt", {"f"}, {"h"}),
                     node("Expand", {"h", "spread"}, {"i"}),
                     node("Reshape", {"i", "w"}, {"j"}),
                     node("Mul", {"x", "s"}, {"k"}),
                     node("Sigmoid", {"k"}, {"l"}),
                     node("Mul", {"x", "l"}, {"m"}),
                     node("Div", {"m", "j"}, {"n"}),
                     node("Pow", {"n", "two"}, {"o"}),
                     node("ReduceMean", {"o"}, {"p"}, {{"axes", Ints{2, 3}}}),
                     node("Add", {"p", "eps"}, {"q"}),
                     node("Sqrt", {"q"}, {"r"}),
                     node("Reciprocal", {"r"}, {"t"}),
                     node("Mul", {"n", "t"}, {"u"}),
                     node("Max", {"u", "s"}, {"v"}),
                     node("Mul", {"v", "v"}, {"y1"}),
                     node("ReduceMean", {"y1"}, {"y2"}, {{"axes", Ints{1}}}),
                     node("Mul", {"y2", "two"}, {"y3"}),
                     node("Add", {"y3", "eps"}, {"y4"}),
                     node("Sqrt", {"y4"}, {"y5"}),
                     node("Div", {"v", "y5"}, {"y"})},
                    {integers("g", {1, 2, 32}), integers("spread", {1, 2, 32}), integers("w", {1, 4, 4, 4}),
                     weights("s", {4, 1, 1}), scalar("eps", 1e-6F), scalar("two", 2.0F)});
}

Model old_opset() {
    return model_of(
        {1, 2, 4, 4},
        {node("Upsample", {"x", "s"}, {"a"}), node("Clip", {"a"}, {"b"}, {{"min", 0.0F}, {"max", 6.0F}}),
         node("Slice", {"b"}, {"c"}, {{"starts", Ints{1}}, {"ends", Ints{-1}}, {"axes", Ints{2}}}),
         node("Dropout", {"c"}, {"d"}, {{"ratio", 0.5F}}), node("Squeeze", {"d"}, {"e"}, {{"axes", Ints{0}}}),
         node("ReduceSum", {"e"}, {"f"}, {{"axes", Ints{0}}, {"keepdims", std::int64_t{0}}}),
         node("MatMul", {"f", "w"}, {"g"}), node("Add", {"g", "v"}, {"h"}), node("Softmax", {"h"}, {"y"})},
        {tensor_of("s", {4}, Floats{1, 1, 2, 2}), weights("w", {8, 3}), weights("v", {3})}, 9);
}

Model attention() {
    return model_of(
        {1, 6, 2, 3},
        {node("Conv", {"x", "qkv"}, {"a"}), node("Reshape", {"a", "heads"}, {"h"}),
         node("Transpose", {"h"}, {"t"}, {{"perm", Ints{0, 1, 3, 2}}}),
         node("Split", {"t", "parts"}, {"q", "k", "v"}, axis(3)),
         node("Transpose", {"k"}, {"kt"}, {{"perm", Ints{0, 1, 3, 2}}}), node("MatMul", {"q", "kt"}, {"s"}),
         node("Add", {"s", "bias"}, {"b"}), node("Softmax", {"b"}, {"p"}, axis(-1)),
         node("MatMul", {"p", "v"}, {"m"}), node("Slice", {"m", "first", "ends", "last", "step"}, {"c"}),
         node("ReduceSum", {"c", "last"}, {"r"}), node("Expand", {"r", "four"}, {"e"}),
         node("Div", {"m", "e"}, {"d"}), node("Concat", {"d", "m"}, {"j"}, axis(2)),
         node("ReduceL2", {"j"}, {"n"}, {{"axes", Ints{1}}}), node("Clip", {"n", "least"}, {"l"}),
         node("Div", {"j", "l"}, {"o"}), node("Gather", {"o", "one"}, {"y"}, axis(1))},
        {weights("qkv", {24, 6, 1, 1}), integers("heads", {1, 2, 12, 6}), integers("parts", {4, 4, 4}),
         weights("bias", {1, 2, 6, 6}), integers("first", {0}), integers("ends", {4}), integers("last", {3}),
         integers("step", {2}), integers("four", {1, 2, 6, 4}), scalar("least", 1e-6F),
         tensor_of("one", {}, Ints{1})});
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        return 2;
    }
    const std::filesystem::path folder = arguments[1];
    write_file(classifier(), folder / "classifier.onnx");
    write_file(gated(), folder / "gated.onnx");
    write_file(shapes(), folder / "shapes.onnx");
    write_file(folded(), folder / "folded.onnx");
    write_file(channels_last(), folder / "channels_last.onnx");
    write_file(resized(), folder / "resized.onnx");
    write_file(normalized(), folder / "normalized.onnx");
    write_file(uncentered(), folder / "uncentered.onnx");
    write_file(old_opset(), folder / "old_opset.onnx");
    write_file(attention(), folder / "attention.onnx");
    return 0;
}
