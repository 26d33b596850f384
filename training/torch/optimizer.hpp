// Stochastic gradient descent with momentum, and the moving average of what it makes. PyTorch's formulas:
// v = m v + g + d w; w -= r (g + d w + m v) with Nesterov's momentum, w -= r v without.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "training/recipe.hpp"
#include "training/torch/network.hpp"

namespace hacscale::training {

class Optimizer {
public:
    // Weight decay acts on what inputs are multiplied with: not on biases and batch-norms.
    Optimizer(const TorchNetwork& network, const Recipe& recipe);

    void step(double learning_rate);
#ifdef HACSCALE_TORCH_CUDA
    // The same with a rate in GPU memory (f32, no dimension), as a recorded step needs it.
    void step(const at::Tensor& learning_rate);
#endif
    // Gradients are dropped, not set to zero: the next backward pass writes them instead of adding to them.
    void clear_gradients();

    const std::vector<at::Tensor>& parameters() const {
        return parameters_;
    }
    const std::vector<at::Tensor>& velocities() const {
        return velocities_;
    }  // one a parameter

private:
    // What a step subtracts, the learning rate left out; velocities and gradients are overwritten on the way.
    std::vector<at::Tensor> directions();

    double momentum_;
    double weight_decay_;
    bool nesterov_;
    std::vector<at::Tensor> parameters_;
    std::vector<at::Tensor> velocities_;
    std::vector<std::size_t> decayed_;  // indices of the parameters that decay
};

// What an average keeps of itself after step `step` (from 0): the decay, but at most (1 + step) / (10 +
// step), so that the random numbers of the beginning are forgotten early.
double kept_share(double decay, std::int64_t step);

// The network whose numbers are the average, over steps, of another's: weights and running statistics alike.
class MovingAverage {
public:
    MovingAverage(const TorchNetwork& source, TorchNetwork& average);
    // The average becomes `kept` times itself and 1 - `kept` times its source.
    void update(double kept);
#ifdef HACSCALE_TORCH_CUDA
    void update(const at::Tensor& kept);  // f32, no dimension, on the GPU
#endif

private:
    std::vector<at::Tensor> source_;
    std::vector<at::Tensor> average_;
};

// Parameters, then buffers: everything that makes two networks of one model the same.
std::vector<at::Tensor> numbers_of(const TorchNetwork& network);
// Both must be networks of one model.
void copy_numbers(const TorchNetwork& from, const TorchNetwork& to);

}  // namespace hacscale::training
