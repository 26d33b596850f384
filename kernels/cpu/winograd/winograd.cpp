#include "kernels/cpu/winograd/winograd.hpp"

#include <array>

namespace hacscale::cpu {
namespace {

int divide_up(int a, int b) {
    return (a + b - 1) / b;
}

// G of U = G g G^T, for outputs of 2 and 4 a row; the points 0, 1, -1 (and 2, -2), infinity.
constexpr std::array<std::array<double, 3>, 4> weights_for_2{
    {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}}};
constexpr std::array<std::array<double, 3>, 6> weights_for_4{{{1. / 4, 0, 0},
                                                              {-1. / 6, -1. / 6, -1. / 6},
                                                              {-1. / 6, 1. / 6, -1. / 6},
                                                              {1. / 24, 1. / 12, 1. / 6},
                                                              {1. / 24, -1. / 12, 1. / 6},
                                                              {0, 0, 1}}};

// One point of one transformed window.
double transformed(const float* window, std::span<const double, 3> row, std::span<const double, 3> column) {
    double sum = 0.0;
    for (int y = 0; y < 3; ++y) {
        for (int x = 0; x < 3; ++x) sum += row[y] * column[x] * static_cast<double>(window[3 * y + x]);
    }
    return sum;
}

}  // namespace

int tiles_of(const WinogradConv& conv) {
    return conv.batch * divide_up(conv.out.height, conv.outputs) * divide_up(conv.out.width, conv.outputs);
}

std::size_t packed_weights(const WinogradConv& conv, const WinogradKernels& kernels) {
    const auto points = static_cast<std::size_t>(conv.outputs + 2) * (conv.outputs + 2);
    return points * conv.in.channels * divide_up(conv.out.channels, kernels.panel_channels) *
           kernels.panel_channels;
}

std::size_t scratch_floats(const WinogradConv& conv, const WinogradKernels& kernels) {
    const auto points = static_cast<std::size_t>(conv.outputs + 2) * (conv.outputs + 2);
    const std::size_t tiles = conv.share_channels ? tiles_of(conv) : conv.tiles_a_block;
    const std::size_t inputs = points * tiles * divide_up(conv.in.channels, kernels.lanes) * kernels.lanes;
    const std::size_t products = points * tiles * kernels.panel_channels;
    return conv.share_channels ? inputs + conv.threads * products : conv.threads * (inputs + products);
}

void pack_winograd_weights(const WinogradConv& conv, const WinogradKernels& kernels,
                           std::span<const float> oihw, float* packed) {
    const int side = conv.outputs + 2;
    const std::span<const std::array<double, 3>> rows =
        conv.outputs == 4 ? std::span<const std::array<double, 3>>(weights_for_4) : weights_for_2;
    const int panels = divide_up(conv.out.channels, kernels.panel_channels);
    for (int which = 0; which < panels; ++which) {
        for (int point = 0; point < side * side; ++point) {
            for (int in = 0; in < conv.in.channels; ++in) {
                for (int c = 0; c < kernels.panel_channels; ++c) {
                    const int out = which * kernels.panel_channels + c;
                    const bool real = out < conv.out.channels;
                    const std::size_t window = (static_cast<std::size_t>(out) * conv.in.channels + in) * 9;
                    *packed++ = real ? static_cast<float>(
                                           transformed(&oihw[window], rows[point / side], rows[point % side]))
                                     : 0.0F;
                }
            }
        }
    }
}

}  // namespace hacscale::cpu
