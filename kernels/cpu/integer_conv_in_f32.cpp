#include "kernels/cpu/integer_conv_in_f32.hpp"

#include <string>
#include <utility>

#include "kernels/cpu/tensor.hpp"

namespace hacscale::cpu {
namespace {

constexpr std::size_t alignment = 64;

// Bytes of a tensor's numbers, up to where the next buffer may begin.
std::size_t f32_bytes(const TensorShape& shape) {
    return (shape.bytes(DataType::f32) + alignment - 1) / alignment * alignment;
}

class IntegerConvInF32 final : public CpuLayer {
public:
    IntegerConvInF32(const LayerContext& context, std::unique_ptr<CpuLayer> conv)
        : conv_(std::move(conv)),
          input_shape_(context.input),
          output_shape_(context.output),
          forms_(context.integers),
          adds_(context.layer.residual) {}

    void load(const LayerWeights& weights) override { conv_->load(weights); }

    void bind(const InputPointers& inputs, std::byte* output, std::byte* scratch) override {
        input_ = inputs.front();
        output_ = output;
        input_numbers_ = scratch;
        output_numbers_ = forms_.output.is_integer() ? scratch + f32_bytes(input_shape_) : output;
        conv_->bind({input_numbers_}, output_numbers_,
                    scratch + f32_bytes(input_shape_) + f32_bytes(output_shape_));
    }

    void execute() override {
        convert(input_, forms_.input, input_numbers_, {}, input_shape_.elements());
        const bool converts_output = forms_.output.is_integer();
        if (adds_ && converts_output) {
            convert(output_, forms_.residual, output_numbers_, {}, output_shape_.elements());
        }
        conv_->execute();
        if (converts_output) {
            convert(output_numbers_, {}, output_, forms_.output, output_shape_.elements());
        }
    }

    std::size_t scratch_bytes() const override {
        return f32_bytes(input_shape_) + f32_bytes(output_shape_) + conv_->scratch_bytes();
    }
    std::string implementation() const override { return conv_->implementation() + ":f32"; }
    std::span<const std::byte> weights() const override { return conv_->weights(); }

private:
    std::unique_ptr<CpuLayer> conv_;
    TensorShape input_shape_;
    TensorShape output_shape_;
    IntegerForms forms_;
    bool adds_;
    const std::byte* input_ = nullptr;
    std::byte* output_ = nullptr;
    std::byte* input_numbers_ = nullptr;
    std::byte* output_numbers_ = nullptr;
};

}  // namespace

LayerContext as_f32(LayerContext context) {
    context.type = DataType::f32;
    context.integers = {};
    return context;
}

std::unique_ptr<CpuLayer> make_integer_conv_in_f32(const LayerContext& context, const BuildConv& build) {
    return std::make_unique<IntegerConvInF32>(context, build(as_f32(context)));
}

}  // namespace hacscale::cpu
