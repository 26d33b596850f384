// The channels of several tensors one after another, NHWC, all tensors in one launch. As in moves.hpp words of 2 to 16 bytes
// are what moves.
#pragma once

#include "kernels/cuda/device/moves.hpp"

namespace hacscale::cuda {

// Tensors of one launch: their list is a part of the kernel's parameters.
constexpr int max_joined = 48;

struct JoinedTensor {
    const void* data = nullptr;
    int first_word = 0;   // of an output position, the first that is this tensor's
    int first_block = 0;  // the blocks from here on copy it
    int count = 0;        // words of the tensor
    Divisor words;        // of one of its positions
};

struct ConcatParams {
    JoinedTensor tensors[max_joined];
    void* output = nullptr;
    int joined = 0;
    int out_words = 0;  // of an output position
    int block_count = 0;
    int word_bytes = 16;
};

constexpr int concat_threads = 256;
constexpr int concat_steps = 4;
constexpr int concat_words_a_block = concat_threads * concat_steps;

// A block copies a part of one tensor: reads are of neighbouring words, writes of rows as wide as the tensor.
template <int Bytes>
struct ConcatKernel {
    static constexpr int max_threads = concat_threads;
    static constexpr int min_blocks = 4;
    static constexpr int phases = 1;
    using Shared = NothingShared;

    ConcatParams params;

    std::int64_t blocks() const { return params.block_count; }
    static constexpr int threads() { return max_threads; }

    template <int Phase>
    HACSCALE_HD void run(Shared&, int block, int thread) const {
        const JoinedTensor& tensor = params.tensors[tensor_of(block)];
        const std::int64_t first =
            static_cast<std::int64_t>(block - tensor.first_block) * concat_words_a_block + thread;
        Word<Bytes> words[concat_steps] = {};
        HACSCALE_UNROLL
        for (int s = 0; s < concat_steps; ++s) {
            const std::int64_t i = first + s * max_threads;
            if (i < tensor.count) words[s] = static_cast<const Word<Bytes>*>(tensor.data)[i];
        }
        HACSCALE_UNROLL
        for (int s = 0; s < concat_steps; ++s) {
            const std::int64_t i = first + s * max_threads;
            if (i < tensor.count) {
                int position = static_cast<int>(i);
                const int word = tensor.words.take(position);
                static_cast<Word<Bytes>*>(
                    params.output)[static_cast<std::int64_t>(position) * params.out_words +
                                   tensor.first_word + word] = words[s];
            }
        }
    }

private:
    // The last one whose first block is not behind this block.
    HACSCALE_HD int tensor_of(int block) const {
        int low = 0;
        int high = params.joined - 1;
        while (low < high) {
            const int middle = (low + high + 1) / 2;
            if (params.tensors[middle].first_block <= block) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }
};

template <typename Visit>
void with_concat(const ConcatParams& params, Visit&& visit) {
    switch (params.word_bytes) {
        case 2:
            return visit(ConcatKernel<2>{params});
        case 4:
            return visit(ConcatKernel<4>{params});
        case 8:
            return visit(ConcatKernel<8>{params});
        default:
            return visit(ConcatKernel<16>{params});
    }
}

}  // namespace hacscale::cuda
