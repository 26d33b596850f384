#include "training/torch/optimizer.hpp"

#include <algorithm>

namespace hacscale::training {

Optimizer::Optimizer(const TorchNetwork& network, const Recipe& recipe)
    : momentum_(recipe.momentum),
      weight_decay_(recipe.weight_decay),
      nesterov_(recipe.nesterov),
      parameters_(network.parameters()) {
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
        velocities_.push_back(at::zeros_like(parameters_[i].detach()));
        // Biases and batch-norms have one dimension, products two or four.
        if (parameters_[i].dim() > 1) decayed_.push_back(i);
    }
}

std::vector<at::Tensor> Optimizer::directions() {
    std::vector<at::Tensor> gradients;
    gradients.reserve(parameters_.size());
    for (const at::Tensor& parameter : parameters_) gradients.push_back(parameter.grad());
    if (weight_decay_ > 0.0) {
        std::vector<at::Tensor> weights, weight_gradients;
        for (const std::size_t i : decayed_) {
            weights.push_back(parameters_[i]);
            weight_gradients.push_back(gradients[i]);
        }
        at::_foreach_add_(weight_gradients, weights, weight_decay_);
    }
    at::_foreach_mul_(velocities_, momentum_);
    at::_foreach_add_(velocities_, gradients, 1.0);
    if (!nesterov_) return velocities_;
    at::_foreach_add_(gradients, velocities_, momentum_);
    return gradients;
}

void Optimizer::step(double learning_rate) {
    const at::NoGradGuard no_grad;
    at::_foreach_add_(parameters_, directions(), -learning_rate);
}

#ifdef HACSCALE_TORCH_CUDA
void Optimizer::step(const at::Tensor& learning_rate) {
    const at::NoGradGuard no_grad;
    at::_foreach_sub_(parameters_, at::_foreach_mul(directions(), learning_rate));
}
#endif

void Optimizer::clear_gradients() {
    for (at::Tensor& parameter : parameters_) parameter.mutable_grad().reset();
}

MovingAverage::MovingAverage(const TorchNetwork& source, TorchNetwork& average)
    : source_(numbers_of(source)), average_(numbers_of(average)) {}

double kept_share(double decay, std::int64_t step) {
    const double count = static_cast<double>(step);
    return std::min(decay, (1.0 + count) / (10.0 + count));
}

void MovingAverage::update(double kept) {
    const at::NoGradGuard no_grad;
    at::_foreach_mul_(average_, kept);
    at::_foreach_add_(average_, source_, 1.0 - kept);
}

#ifdef HACSCALE_TORCH_CUDA
void MovingAverage::update(const at::Tensor& kept) {
    const at::NoGradGuard no_grad;
    at::_foreach_mul_(average_, kept);
    at::_foreach_add_(average_, at::_foreach_mul(source_, 1.0 - kept));
}
#endif

std::vector<at::Tensor> numbers_of(const TorchNetwork& network) {
    std::vector<at::Tensor> numbers = network.parameters();
    const std::vector<at::Tensor> buffers = network.buffers();
    numbers.insert(numbers.end(), buffers.begin(), buffers.end());
    return numbers;
}

void copy_numbers(const TorchNetwork& from, const TorchNetwork& to) {
    const at::NoGradGuard no_grad;
    const std::vector<at::Tensor> source = numbers_of(from);
    std::vector<at::Tensor> target = numbers_of(to);
    for (std::size_t i = 0; i < source.size(); ++i) target[i].copy_(source[i]);
}

}  // namespace hacscale::training
