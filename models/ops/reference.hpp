// What every backend's outputs are compared with: each layer written out plainly, in double precision. Tensors are dense NCHW.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/ops/layer_spec.hpp"
#include "models/ops/layer_weights.hpp"
#include "models/ops/operator.hpp"

namespace hacscale {

// One after another, on this thread.
extern const ForEach in_turn;

// Dense NCHW in, dense NCHW out. The outputs are the same to the bit whatever `each` does at once.
std::vector<double> reference_layer(const LayerSpec& layer, int batch, const ReferenceInputs& inputs,
                                    const LayerWeights& weights, const ForEach& each = in_turn);
// The same of a layer with one data input. `residual` has the output's size for a conv with a residual add and is
// not read otherwise.
std::vector<double> reference_layer(const LayerSpec& layer, int batch, const std::vector<double>& input,
                                    const std::vector<double>& residual, const LayerWeights& weights);

// The same at some positions of the output only, which for a conv is so much less work.
std::vector<double> reference_outputs(const LayerSpec& layer, int batch, const ReferenceInputs& inputs,
                                      const LayerWeights& weights, const std::vector<std::size_t>& positions);

// ||actual - expected|| / ||expected||; infinite when anything is not a number or the sizes differ.
double relative_error(const std::vector<float>& actual, const std::vector<double>& expected);

// ---- What the references of several operators share ----

double activate(Activation activation, double alpha, double x);
inline double activate(const LayerSpec& layer, double x) {
    return activate(layer.activation, layer.alpha.value(), x);
}

struct MapShape {
    int batch, channels, height, width;
    std::size_t at(int n, int c, int h, int w) const {
        return ((static_cast<std::size_t>(n) * channels + c) * height + h) * width + w;
    }
    std::size_t size() const { return at(batch, 0, 0, 0); }
};

inline MapShape input_map(const ReferenceCall& call) {
    return {call.batch, call.layer.in_channels, call.layer.in_height, call.layer.in_width};
}
inline MapShape output_map(const ReferenceCall& call) {
    return {call.batch, call.layer.out_channels, call.layer.out_height(), call.layer.out_width()};
}

// Calls visit(tap's row, tap's column, input row, input column) for each tap of the window at output (oh, ow) that
// is on the map, not on padding.
template <typename Visit>
void for_window(const LayerSpec& layer, int oh, int ow, Visit visit) {
    const Window& window = layer.window;
    for (int kh = 0; kh < window.kernel[0]; ++kh) {
        for (int kw = 0; kw < window.kernel[1]; ++kw) {
            const int ih = window.first(oh, 0) + kh * window.dilations[0];
            const int iw = window.first(ow, 1) + kw * window.dilations[1];
            if (ih >= 0 && ih < layer.in_height && iw >= 0 && iw < layer.in_width) visit(kh, kw, ih, iw);
        }
    }
}

// For operators that compute each output by itself: value(image, channel, output row, output column) at every position of the output.
template <typename Value>
std::vector<double> at_each_output(const ReferenceCall& call, Value value) {
    const MapShape out = output_map(call);
    std::vector<double> result(out.size());
    call.each(static_cast<std::size_t>(out.batch) * out.channels, [&](std::size_t plane) {
        const int n = static_cast<int>(plane) / out.channels;
        const int c = static_cast<int>(plane) % out.channels;
        for (int oh = 0; oh < out.height; ++oh) {
            for (int ow = 0; ow < out.width; ++ow) result[out.at(n, c, oh, ow)] = value(n, c, oh, ow);
        }
    });
    return result;
}

// The mean of each image's each channel.
std::vector<double> channel_means(const ReferenceCall& call);

// One dense product for one image: W x + b.
std::vector<double> dense(const double* x, std::size_t in, std::size_t out, const std::vector<float>& weights,
                          const std::vector<float>& bias);

}  // namespace hacscale
