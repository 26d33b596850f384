#include <algorithm>
#include <numeric>

#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device/launch.hpp"
#include "kernels/cuda/device/packing.hpp"

namespace hacscale::cuda {
namespace {

class ConcatLayer final : public CudaLayer {
public:
    explicit ConcatLayer(const LayerContext& context)
        : layer_(context.layer), batch_(context.batch), type_(context.type) {}

    // How wide its accesses are depends on the widths of the tensors, in which layers of one key differ.
    std::string implementation() const override {
        return "hacscale concat of " + std::to_string(layer_.inputs);
    }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        ConcatParams params;
        params.word_bytes = word_bytes_of(buffers.inputs);
        params.output = buffers.output;
        params.out_words = words(layer_.out_channels, params.word_bytes);
        int first_channel = 0;
        for (std::size_t i = 0; i < buffers.inputs.size(); ++i) {
            add(params, buffers.inputs[i], first_channel);
            first_channel += buffers.inputs[i].channels;
            if (params.joined < max_joined && i + 1 < buffers.inputs.size()) continue;
            launch_concat(params, stream);
            params.joined = params.block_count = 0;
        }
    }

private:
    int words(int channels, int word_bytes) const {
        return channels * static_cast<int>(size_of(type_)) / word_bytes;
    }
    // Every tensor begins at a multiple of this many bytes.
    int word_bytes_of(const std::vector<DataInput>& inputs) const {
        int bytes = vector_bytes;
        for (const DataInput& input : inputs) {
            bytes = std::gcd(bytes, input.channels * static_cast<int>(size_of(type_)));
        }
        return bytes;
    }
    void add(ConcatParams& params, const DataInput& input, int first_channel) const {
        const int width = words(input.channels, params.word_bytes);
        JoinedTensor& tensor = params.tensors[params.joined++];
        tensor.data = input.data;
        tensor.first_word = words(first_channel, params.word_bytes);
        tensor.first_block = params.block_count;
        tensor.count = batch_ * layer_.in_height * layer_.in_width * width;
        tensor.words = Divisor(width);
        params.block_count += ceil_div(tensor.count, concat_words_a_block);
    }

    LayerSpec layer_;
    int batch_;
    DataType type_;
};

}  // namespace

LayerList concat_layers(const LayerContext& context) {
    LayerList layers;
    layers.push_back(std::make_unique<ConcatLayer>(context));
    return layers;
}

}  // namespace hacscale::cuda
