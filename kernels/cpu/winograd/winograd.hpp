// Convolutions of 3 x 3 windows at stride 1 by Winograd's algorithm F(m x m, 3 x 3) (Lavin and Gray, "Fast
// Algorithms for Convolutional Neural Networks", 2016): tiles of (m+2) x (m+2) inputs are transformed,
// multiplied point by point with transformed weights, which sums over the input channels are matrix products,
// and transformed to m x m outputs. With m = 4 a quarter of the multiplies remain, with m = 2 four ninths, at
// 4 and 1.8 times the direct kernel's bytes of weights.
//
// Written once in vector code of `lanes` floats (winograd_kernels.cpp) and compiled for each instruction set.
#pragma once

#include <cstddef>
#include <span>

namespace hacscale::cpu {

// An f32 activation tensor, blocked or channels-last: where the numbers of a channel are.
struct TensorView {
    int channels = 0;
    int block = 0;  // channels that are side by side; all of them when channels-last
    int height = 0;
    int width = 0;
    std::ptrdiff_t pixel = 0;         // floats from one pixel to the next
    std::ptrdiff_t block_stride = 0;  // from one block to the next
    std::ptrdiff_t image = 0;         // from one image to the next
};

struct WinogradConv {
    int batch = 1;
    int padding = 0;
    int outputs = 4;  // m: rows and columns of outputs a tile has, 2 or 4
    TensorView in;
    TensorView out;
    bool add_to_output = false;  // the residual is in the output
    // The activation clips to this range, as ReLU and ReLU6 do.
    float low = 0.0F;
    float high = 0.0F;
    int threads = 1;
    int tiles_a_block = 1;  // transformed and multiplied together by one thread
    // Few tiles: the threads transform them together, and then share the output channels. Many: each thread
    // takes blocks of tiles through all output channels.
    bool share_channels = false;
};

// One instruction set's code. Weights are packed [panel][point][input channel][panel_channels], zeros filled
// in.
struct WinogradKernels {
    const char* name;
    int lanes;           // floats of a vector
    int panel_channels;  // output channels that a matrix product computes at a time
    int rows;            // tiles that it computes at a time
    void (*run)(const WinogradConv& conv, const float* input, const float* weights, const float* bias,
                float* output, float* scratch);
};

extern const WinogradKernels winograd_avx512;
extern const WinogradKernels winograd_avx2;
extern const WinogradKernels winograd_baseline;

int tiles_of(const WinogradConv& conv);
std::size_t packed_weights(const WinogradConv& conv, const WinogradKernels& kernels);
std::size_t scratch_floats(const WinogradConv& conv, const WinogradKernels& kernels);
// `oihw`: [output channel][input channel][3][3].
void pack_winograd_weights(const WinogradConv& conv, const WinogradKernels& kernels,
                           std::span<const float> oihw, float* packed);

}  // namespace hacscale::cpu
