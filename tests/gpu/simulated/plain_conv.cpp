#include "tests/gpu/simulated/plain_conv.hpp"

#include <vector>

#include "kernels/cuda/device/activations.hpp"
#include "kernels/cuda/device/element_dispatch.hpp"

namespace hacscale::cuda::testing {
namespace {

// Of a linear layer it is the whole input.
Window window_of(const LayerSpec& layer) {
    if (layer.kind == LayerKind::linear) return {.kernel = {layer.in_height, layer.in_width}};
    return layer.window;
}

template <typename T>
std::vector<float> as_floats(const void* from, std::size_t count) {
    const auto* const values = static_cast<const T*>(from);
    std::vector<float> floats(count);
    for (std::size_t i = 0; i < count; ++i) floats[i] = to_float(values[i]);
    return floats;
}

// [out][taps][in] to [taps][in][out]: the innermost loop goes over outputs.
std::vector<float> outputs_last(const std::vector<float>& weights, std::size_t outputs) {
    const std::size_t inputs = weights.size() / outputs;
    std::vector<float> turned(weights.size());
    for (std::size_t k = 0; k < outputs; ++k) {
        for (std::size_t i = 0; i < inputs; ++i) turned[i * outputs + k] = weights[k * inputs + i];
    }
    return turned;
}

// Which element of an axis of the input a tap of a transposed conv brings to `out`; negative where there is none.
int spread_from(const Window& window, int axis, int out, int tap, int size) {
    const int distance = out + window.pads[axis] - tap * window.dilations[axis];
    if (distance < 0 || distance % window.strides[axis] != 0) return -1;
    return distance / window.strides[axis] < size ? distance / window.strides[axis] : -1;
}

// Weights are [in][rows][columns][output of a group].
template <typename T>
void run_transposed(const PlanRequest& request, const ConvTensors& tensors) {
    const LayerSpec& layer = request.layer;
    const Window& window = layer.window;
    const int inputs = layer.in_channels / layer.groups;
    const int outputs = layer.out_channels / layer.groups;
    const auto* const input = static_cast<const T*>(tensors.input);
    const auto* const weights = static_cast<const T*>(tensors.weights);
    auto* output = static_cast<T*>(tensors.output);
    for (int at = 0; at < request.batch * layer.out_height() * layer.out_width(); ++at) {
        const int x = at % layer.out_width();
        const int y = at / layer.out_width() % layer.out_height();
        const int image = at / layer.out_width() / layer.out_height();
        std::vector<float> sums(layer.out_channels, 0.0F);
        for (int tap = 0; tap < window.taps(); ++tap) {
            const int in_y = spread_from(window, 0, y, tap / window.kernel[1], layer.in_height);
            const int in_x = spread_from(window, 1, x, tap % window.kernel[1], layer.in_width);
            if (in_y < 0 || in_x < 0) continue;
            const T* const pixel =
                input + ((static_cast<std::size_t>(image) * layer.in_height + in_y) * layer.in_width + in_x) *
                            layer.in_channels;
            for (int c = 0; c < layer.in_channels; ++c) {
                const T* const w = weights + (c * window.taps() + tap) * outputs;
                for (int k = 0; k < outputs; ++k)
                    sums[c / inputs * outputs + k] += to_float(pixel[c]) * to_float(w[k]);
            }
        }
        for (const float sum : sums) *output++ = from_float<T>(sum);
    }
}

template <typename T>
void run(const PlanRequest& request, const ConvTensors& tensors) {
    const LayerSpec& layer = request.layer;
    const bool linear = layer.kind == LayerKind::linear;
    const Window window = window_of(layer);
    const int groups = linear ? 1 : layer.groups;
    const int in_a_group = layer.in_channels / groups;
    const int out_a_group = layer.out_channels / groups;
    const auto taps = static_cast<std::size_t>(window.taps());
    const std::size_t group_weights = taps * in_a_group * out_a_group;
    const std::size_t image = static_cast<std::size_t>(layer.in_height) * layer.in_width * layer.in_channels;
    const std::vector<float> input = as_floats<T>(tensors.input, image * request.batch);
    const std::vector<float> packed = as_floats<T>(tensors.weights, group_weights * groups);
    std::vector<float> weights;
    for (int g = 0; g < groups; ++g) {
        const auto begin = packed.begin() + static_cast<std::ptrdiff_t>(g * group_weights);
        const auto turned =
            outputs_last({begin, begin + static_cast<std::ptrdiff_t>(group_weights)}, out_a_group);
        weights.insert(weights.end(), turned.begin(), turned.end());
    }
    const bool fused = request.form == ConvForm::fused;
    std::vector<float> bias(layer.out_channels, 0.0F);
    if (fused) bias = as_floats<T>(tensors.bias, bias.size());
    const auto* const residual = static_cast<const T*>(tensors.residual);
    auto* const output = static_cast<T*>(tensors.output);

    std::vector<float> sums(layer.out_channels);
    std::size_t at = 0;
    for (int n = 0; n < request.batch; ++n) {
        for (int y = 0; y < layer.out_height(); ++y) {
            for (int x = 0; x < layer.out_width(); ++x) {
                sums = bias;
                for (int r = 0; r < window.kernel[0]; ++r) {
                    const int in_y = window.first(y, 0) + r * window.dilations[0];
                    if (in_y < 0 || in_y >= layer.in_height) continue;
                    for (int s = 0; s < window.kernel[1]; ++s) {
                        const int in_x = window.first(x, 1) + s * window.dilations[1];
                        if (in_x < 0 || in_x >= layer.in_width) continue;
                        const float* const pixel =
                            input.data() + n * image +
                            (static_cast<std::size_t>(in_y) * layer.in_width + in_x) * layer.in_channels;
                        const std::size_t tap = static_cast<std::size_t>(r) * window.kernel[1] + s;
                        for (int c = 0; c < layer.in_channels; ++c) {
                            const int group = c / in_a_group;
                            const float* const w = weights.data() + group * group_weights +
                                                   (tap * in_a_group + c % in_a_group) * out_a_group;
                            float* const sum = sums.data() + group * out_a_group;
                            for (int k = 0; k < out_a_group; ++k) sum[k] += pixel[c] * w[k];
                        }
                    }
                }
                for (int k = 0; k < layer.out_channels; ++k, ++at) {
                    float value[1] = {sums[k]};
                    if (fused && layer.residual) value[0] += to_float(residual[at]);
                    if (fused) activate(activation_of(layer), value);
                    output[at] = from_float<T>(value[0]);
                }
            }
        }
    }
}

}  // namespace

void plain_conv(const PlanRequest& request, const ConvTensors& tensors) {
    with_element(request.type, [&](auto element) {
        using T = decltype(element);
        if (request.layer.kind == LayerKind::transposed_conv) {
            run_transposed<T>(request, tensors);
        } else {
            run<T>(request, tensors);
        }
    });
}

}  // namespace hacscale::cuda::testing
