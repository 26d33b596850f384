// Layers that change a map's sizes or the order of its axes, and compute nothing. Their outputs are plain tensors; they read a
// tensor in whatever order it is, so that what a conv has written is moved once.
#include <algorithm>

#include "kernels/cpu/cpu_layer.hpp"
#include "models/ops/permute.hpp"

namespace hacscale::cpu {
namespace {

class ReshapeLayer final : public CpuLayer {
public:
    explicit ReshapeLayer(const LayerContext& context)
        : in_(context.input), plain_(context.input), type_(context.type) {
        plain_.order = TensorShape::Order::plain;
    }

    void load(const LayerWeights&) override {}
    void bind(const InputPointers& inputs, std::byte* output, std::byte*) override {
        input_ = inputs.front();
        output_ = output;
    }
    void execute() override {
        // A plain tensor is what it becomes, and may be at the place of its output.
        if (input_ != output_) reorder_tensor(input_, in_, type_, output_, plain_);
    }
    std::string implementation() const override { return "hacscale:reshape"; }

private:
    TensorShape in_;
    TensorShape plain_;  // of the input's sizes
    DataType type_;
    const std::byte* input_ = nullptr;
    std::byte* output_ = nullptr;
};

class PermuteLayer final : public CpuLayer {
public:
    explicit PermuteLayer(const LayerContext& context)
        : in_(context.input),
          out_(context.output),
          type_(context.type),
          share_(context.input.channels / context.layer.groups),
          out_share_(context.output.channels / context.layer.groups) {
        const std::array<int, 3> axes = axes_of(context.layer.mode);
        const std::array<std::size_t, 3> strides{static_cast<std::size_t>(out_.height) * out_.width,
                                                 static_cast<std::size_t>(out_.width), 1};
        for (std::size_t axis = 0; axis < axes.size(); ++axis) {
            strides_[static_cast<std::size_t>(axes[axis])] = strides[axis];
        }
    }

    void load(const LayerWeights&) override {}
    void bind(const InputPointers& inputs, std::byte* output, std::byte*) override {
        input_ = inputs.front();
        output_ = output;
    }
    void execute() override {
        copy_planes(input_, in_, size_of(type_), output_, [this](int image, int channel) {
            const std::size_t group = out_.index(image, channel / share_ * out_share_, 0, 0);
            return PlaneTarget{group + static_cast<std::size_t>(channel % share_) * strides_[0], strides_[1],
                               strides_[2]};
        });
    }
    std::string implementation() const override { return "hacscale:permute"; }

private:
    TensorShape in_;
    TensorShape out_;
    DataType type_;
    int share_;                             // channels of a group
    int out_share_;                         // of the output
    std::array<std::size_t, 3> strides_{};  // in the output, of the input's channels, rows and columns
    const std::byte* input_ = nullptr;
    std::byte* output_ = nullptr;
};

}  // namespace

std::unique_ptr<CpuLayer> make_rearrange(const LayerContext& context) {
    if (context.layer.kind == LayerKind::reshape) return std::make_unique<ReshapeLayer>(context);
    return std::make_unique<PermuteLayer>(context);
}

}  // namespace hacscale::cpu
