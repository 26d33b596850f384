#include "models/ops/reference.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hacscale {
namespace {

double activate(Activation activation, double x) {
    const auto clip6 = [](double v) { return std::clamp(v, 0.0, 6.0); };
    switch (activation) {
        case Activation::none:
            return x;
        case Activation::relu:
            return std::max(x, 0.0);
        case Activation::relu6:
            return clip6(x);
        case Activation::silu:
            return x / (1.0 + std::exp(-x));
        case Activation::hard_swish:
            return x * clip6(x + 3.0) / 6.0;
        case Activation::sigmoid:
            return 1.0 / (1.0 + std::exp(-x));
        case Activation::hard_sigmoid:
            return clip6(x + 3.0) / 6.0;
    }
    return x;
}

struct Shape {
    int batch, channels, height, width;
    std::size_t at(int n, int c, int h, int w) const {
        return ((static_cast<std::size_t>(n) * channels + c) * height + h) * width + w;
    }
    std::size_t size() const { return at(batch, 0, 0, 0); }
};

// Calls visit(input index) for each element of the window at (oh, ow) that lies on the map.
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

// One output of a conv, at a position of the dense output tensor.
double conv_output(const LayerSpec& layer, const Shape& in, const Shape& out,
                   const std::vector<double>& input, const std::vector<double>& residual,
                   const LayerWeights& weights, std::size_t position) {
    const int ow = static_cast<int>(position % out.width);
    const int oh = static_cast<int>(position / out.width % out.height);
    const std::size_t plane = position / out.width / out.height;
    const int oc = static_cast<int>(plane % out.channels);
    const int n = static_cast<int>(plane / out.channels);
    const int group_in = layer.in_channels / layer.groups;
    const int first_in = oc / (layer.out_channels / layer.groups) * group_in;
    double sum = layer.bias ? weights.bias[oc] : 0.0;
    for_window(layer, oh, ow, [&](int kh, int kw, int ih, int iw) {
        for (int ic = 0; ic < group_in; ++ic) {
            const std::size_t w =
                ((static_cast<std::size_t>(oc) * group_in + ic) * layer.window.kernel[0] + kh) *
                    layer.window.kernel[1] +
                kw;
            sum += input[in.at(n, first_in + ic, ih, iw)] * static_cast<double>(weights.weights[w]);
        }
    });
    if (layer.residual) sum += residual[position];
    return activate(layer.activation, sum);
}

std::vector<double> conv(const LayerSpec& layer, const Shape& in, const Shape& out,
                         const std::vector<double>& input, const std::vector<double>& residual,
                         const LayerWeights& weights) {
    std::vector<double> result(out.size());
    for (std::size_t i = 0; i < result.size(); ++i) {
        result[i] = conv_output(layer, in, out, input, residual, weights, i);
    }
    return result;
}

std::vector<double> max_pool(const LayerSpec& layer, const Shape& in, const Shape& out,
                             const std::vector<double>& input) {
    std::vector<double> result(out.size());
    for (int n = 0; n < out.batch; ++n) {
        for (int c = 0; c < out.channels; ++c) {
            for (int oh = 0; oh < out.height; ++oh) {
                for (int ow = 0; ow < out.width; ++ow) {
                    double best = -std::numeric_limits<double>::infinity();
                    for_window(layer, oh, ow, [&](int, int, int ih, int iw) {
                        best = std::max(best, input[in.at(n, c, ih, iw)]);
                    });
                    result[out.at(n, c, oh, ow)] = best;
                }
            }
        }
    }
    return result;
}

std::vector<double> channel_means(const Shape& in, const std::vector<double>& input) {
    std::vector<double> means(static_cast<std::size_t>(in.batch) * in.channels);
    const std::size_t area = static_cast<std::size_t>(in.height) * in.width;
    for (std::size_t plane = 0; plane < means.size(); ++plane) {
        double sum = 0.0;
        for (std::size_t i = 0; i < area; ++i) sum += input[plane * area + i];
        means[plane] = sum / static_cast<double>(area);
    }
    return means;
}

// One dense product for one image: activate(W x + b).
std::vector<double> dense(const double* x, std::size_t in, std::size_t out, const std::vector<float>& weights,
                          const std::vector<float>& bias, Activation activation) {
    std::vector<double> y(out);
    for (std::size_t o = 0; o < out; ++o) {
        double sum = bias.empty() ? 0.0 : static_cast<double>(bias[o]);
        for (std::size_t i = 0; i < in; ++i) sum += x[i] * static_cast<double>(weights[o * in + i]);
        y[o] = activate(activation, sum);
    }
    return y;
}

std::vector<double> linear(const LayerSpec& layer, int batch, const std::vector<double>& input,
                           const LayerWeights& weights) {
    const std::size_t features = input.size() / batch;
    std::vector<double> result;
    for (int n = 0; n < batch; ++n) {
        const auto y = dense(&input[n * features], features, layer.out_channels, weights.weights,
                             weights.bias, layer.activation);
        result.insert(result.end(), y.begin(), y.end());
    }
    return result;
}

std::vector<double> squeeze_excite(const LayerSpec& layer, const Shape& in, const std::vector<double>& input,
                                   const LayerWeights& weights) {
    const std::vector<double> means = channel_means(in, input);
    std::vector<double> result(input.size());
    for (int n = 0; n < in.batch; ++n) {
        const auto hidden = dense(&means[static_cast<std::size_t>(n) * in.channels], in.channels,
                                  layer.squeeze_channels, weights.weights, weights.bias, layer.activation);
        const auto gate =
            dense(hidden.data(), hidden.size(), in.channels, weights.weights2, weights.bias2, layer.gate);
        for (int c = 0; c < in.channels; ++c) {
            for (std::size_t i = in.at(n, c, 0, 0); i < in.at(n, c + 1, 0, 0); ++i) {
                result[i] = input[i] * gate[c];
            }
        }
    }
    return result;
}

std::vector<double> scale_shift(const LayerSpec& layer, const Shape& in, const std::vector<double>& input,
                                const LayerWeights& weights) {
    std::vector<double> result(input.size());
    for (int n = 0; n < in.batch; ++n) {
        for (int c = 0; c < in.channels; ++c) {
            for (std::size_t i = in.at(n, c, 0, 0); i < in.at(n, c + 1, 0, 0); ++i) {
                result[i] = activate(layer.activation, input[i] * static_cast<double>(weights.weights[c]) +
                                                           static_cast<double>(weights.bias[c]));
            }
        }
    }
    return result;
}

Shape input_shape(const LayerSpec& layer, int batch) {
    return {batch, layer.in_channels, layer.in_height, layer.in_width};
}
Shape output_shape(const LayerSpec& layer, int batch) {
    return {batch, layer.out_channels, layer.out_height(), layer.out_width()};
}

}  // namespace

std::vector<double> reference_outputs(const LayerSpec& layer, int batch, const std::vector<double>& input,
                                      const std::vector<double>& residual, const LayerWeights& weights,
                                      const std::vector<std::size_t>& positions) {
    std::vector<double> outputs;
    if (layer.kind == LayerKind::conv) {
        const Shape in = input_shape(layer, batch);
        const Shape out = output_shape(layer, batch);
        for (const std::size_t i : positions) {
            outputs.push_back(conv_output(layer, in, out, input, residual, weights, i));
        }
        return outputs;
    }
    const std::vector<double> all = reference_layer(layer, batch, input, residual, weights);
    for (const std::size_t i : positions) outputs.push_back(all[i]);
    return outputs;
}

std::vector<double> reference_layer(const LayerSpec& layer, int batch, const std::vector<double>& input,
                                    const std::vector<double>& residual, const LayerWeights& weights) {
    const Shape in = input_shape(layer, batch);
    const Shape out = output_shape(layer, batch);
    switch (layer.kind) {
        case LayerKind::conv:
            return conv(layer, in, out, input, residual, weights);
        case LayerKind::max_pool:
            return max_pool(layer, in, out, input);
        case LayerKind::global_avg_pool:
            return channel_means(in, input);
        case LayerKind::linear:
            return linear(layer, batch, input, weights);
        case LayerKind::squeeze_excite:
            return squeeze_excite(layer, in, input, weights);
        case LayerKind::scale_shift:
            return scale_shift(layer, in, input, weights);
    }
    return {};
}

double relative_error(const std::vector<float>& actual, const std::vector<double>& expected) {
    if (actual.size() != expected.size()) return std::numeric_limits<double>::infinity();
    double difference = 0.0;
    double norm = 0.0;
    for (std::size_t i = 0; i < actual.size(); ++i) {
        const double d = static_cast<double>(actual[i]) - expected[i];
        difference += d * d;
        norm += expected[i] * expected[i];
    }
    const double error = norm > 0.0 ? std::sqrt(difference / norm) : std::sqrt(difference);
    return std::isfinite(error) ? error : std::numeric_limits<double>::infinity();
}

}  // namespace hacscale
