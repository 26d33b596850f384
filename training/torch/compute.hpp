// Where and how a network is computed: the device ("cpu" or "cuda:N") and how this process uses it, how batches and numbers
// are in its memory, and how often a network is right.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <optional>
#include <string>

#include "models/stages/model_spec.hpp"
#include "training/data_set.hpp"
#include "training/recipe.hpp"
#include "training/torch/network.hpp"

namespace hacscale::training {

// Throws InputError for a text that names no device, MissingError where it is not here or this libtorch
// cannot use it.
at::Device device_of(const std::string& text);
// The processor's or GPU's name, for records.
std::string name_of(const at::Device& device);
int usable_cores();
// Threads of this process's operators (0: all cores that it may use), and settings under which the same work
// gives the same numbers. On a CPU the process keeps memory that it frees, for its next allocations. Returns the
// number of threads.
int prepare(const at::Device& device, int threads);

// Where batches go before the network reads them.
struct ComputeSettings {
    at::Device device = at::Device(at::kCPU);
    at::ScalarType type = at::kFloat;  // of activations and products
    bool channels_last = true;
    int loader_threads = 1;
};

// The recipe's precision where the device has fast products for it, and as many threads as its images need to be prepared.
ComputeSettings settings_for(const Recipe& recipe, const at::Device& device, const DataSet& data);

// What a network reads, for load_data_set().
ImageSize input_size(const ModelSpec& model);
// Throws InputError where a model reads other images, or tells other classes apart, than the data has.
void require_fit(const ModelSpec& model, const ImageSet& images);

// Parameters, buffers and gradients where and how this device reads them fastest.
void place(TorchNetwork& network, const ComputeSettings& settings);

// Images of a batch whose memory is `channels_last` or not, as settings say. The result may share the batch's
// memory.
at::Tensor images_tensor(const float* images, int count, const ImageSet& shape,
                         const ComputeSettings& settings);
at::Tensor labels_tensor(const std::int64_t* labels, int count, const ComputeSettings& settings);

// Share of the images whose highest logit is their label's, 0..1, in evaluation mode; nothing when
// `keep_going` said no. The network is left in the mode it was in.
std::optional<double> accuracy(TorchNetwork& network, const ImageSet& images,
                               const Normalization& normalization, const ComputeSettings& settings,
                               const std::function<bool()>& keep_going);

}  // namespace hacscale::training
