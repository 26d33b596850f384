#include "training/torch/folding.hpp"

namespace hacscale::training {
namespace {

std::vector<float> as_floats(const at::Tensor& tensor) {
    if (!tensor.defined()) return {};
    // Contiguous in the dimensions' order, whatever the tensor's memory format is.
    const at::Tensor dense =
        tensor.detach().to(at::kCPU, at::kFloat).contiguous(at::MemoryFormat::Contiguous);
    const float* first = dense.data_ptr<float>();
    return {first, first + dense.numel()};
}

at::Tensor in_double(const at::Tensor& tensor) {
    return tensor.detach().to(at::kCPU, at::kDouble);
}

LayerWeights fold(const NodeModule& node) {
    if (!node.has_batch_norm()) {
        return {as_floats(node.weight), as_floats(node.bias), as_floats(node.weight2), as_floats(node.bias2)};
    }
    const at::Tensor scale =
        in_double(node.gamma) / (in_double(node.running_var) + batch_norm_epsilon).sqrt();
    at::Tensor shift = -in_double(node.running_mean);
    if (node.bias.defined()) shift = shift + in_double(node.bias);
    shift = scale * shift + in_double(node.beta);
    if (node.layer().kind == LayerKind::scale_shift) return {as_floats(scale), as_floats(shift), {}, {}};
    std::vector<std::int64_t> per_output(static_cast<std::size_t>(node.weight.dim()), 1);
    per_output[0] = -1;
    return {as_floats(in_double(node.weight) * scale.view(per_output)), as_floats(shift), {}, {}};
}

}  // namespace

std::vector<LayerWeights> folded(const TorchNetwork& network) {
    const at::NoGradGuard no_grad;
    std::vector<LayerWeights> weights;
    weights.reserve(network.nodes().size());
    for (const auto& node : network.nodes()) weights.push_back(fold(*node));
    return weights;
}

}  // namespace hacscale::training
