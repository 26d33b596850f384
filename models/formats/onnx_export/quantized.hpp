// A network as an ONNX model of 8-bit integers, in the form that runtimes recognize (QDQ): every tensor between layers is quantized and
// dequantized again, weights are stored as integers, and a runtime computes in integers whatever lies between a DequantizeLinear and
// the next QuantizeLinear. Inputs and outputs of the network stay f32.
//
// Weights are int8, symmetric, with a scale for each output channel (ONNX's per-axis quantization; Krishnamoorthi 2018, "Quantizing deep
// convolutional networks", section 3). Activations are uint8 with one scale and zero point a tensor, from their range on calibration data;
// the zero point of a tensor without negative numbers is 0, so that a ReLU is the cut at its end. Biases are int32, with the scale
// of the products.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "models/formats/onnx_export/onnx_export.hpp"
#include "models/graph/graph.hpp"
#include "models/graph/graph_values.hpp"

namespace hacscale {

// Names of values of the model: what convs, linear layers, pools and adds read and write, but for what the network puts out.
std::vector<std::string> values_to_quantize(const TracedExport& exported, const Graph& graph);

// The same model, which puts out the least and the greatest number of each value instead, two outputs of one number a value.
onnx::Model with_ranges(onnx::Model model, const std::vector<std::string>& values);

// The greatest weight. Where a processor adds two products in 16 bits before it adds them up (AVX2 without VNNI), two large ones would
// be cut: there, half of it fits.
constexpr int greatest_weight = 127;
constexpr int greatest_narrow_weight = 63;

// `ranges`: one entry each of values_to_quantize(). The least of each counts as 0 or less and the greatest as 0 or more, since
// padding and ReLU need an exact zero.
TracedExport quantized(TracedExport exported, const Graph& graph, const std::vector<ValueRange>& ranges,
                       int greatest = greatest_weight);

}  // namespace hacscale
