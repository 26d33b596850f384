#include "training/torch/compute.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <malloc.h>
#include <sched.h>
#include <torch/cuda.h>
#ifdef HACSCALE_TORCH_CUDA
#include <ATen/cuda/CUDAContext.h>
#endif

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

#include "base/error.hpp"
#include "training/batches.hpp"

namespace hacscale::training {
namespace {

std::string processor_name() {
    std::ifstream file("/proc/cpuinfo");
    std::string line;
    while (std::getline(file, line)) {
        if (!line.starts_with("model name")) continue;
        const std::size_t colon = line.find(": ");
        if (colon != std::string::npos) return line.substr(colon + 2);
    }
    return "unknown CPU";
}

// Each step allocates its activations anew. glibc gives blocks of 32 MiB and more back to the system when they are freed, and the faults
// of fresh pages then took half of the time of MobileNetV2 at 128 pixels on two cores.
void keep_freed_memory() {
#ifdef __GLIBC__
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, -1);
#endif
}

}  // namespace

at::Device device_of(const std::string& text) {
    if (text == "cpu") return at::Device(at::kCPU);
    constexpr std::string_view prefix = "cuda:";
    int index = -1;
    if (text.starts_with(prefix)) {
        const char* end = text.data() + text.size();
        const auto parsed = std::from_chars(text.data() + prefix.size(), end, index);
        if (parsed.ec != std::errc() || parsed.ptr != end) index = -1;
    }
    if (index < 0) throw InputError("device '" + text + "' is none to train on: give cpu or cuda:N");
    if (!torch::cuda::is_available()) {
        throw MissingError("device '" + text +
                           "' cannot be trained on: this libtorch was built without CUDA, or there is no "
                           "NVIDIA driver; build with PyTorch 2's libtorch for CUDA, or use --device cpu");
    }
    if (index >= static_cast<int>(torch::cuda::device_count())) {
        throw MissingError("device '" + text + "' is not here; libtorch sees " +
                           std::to_string(torch::cuda::device_count()) + " GPUs");
    }
    return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index));
}

std::string name_of(const at::Device& device) {
    if (device.is_cpu()) return processor_name();
#ifdef HACSCALE_TORCH_CUDA
    return at::cuda::getDeviceProperties(device.index())->name;
#else
    return device.str();
#endif
}

int usable_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) != 0) {
        return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    }
    return CPU_COUNT(&set);
}

int prepare(const at::Device& device, int threads) {
    const int count = threads > 0 ? threads : usable_cores();
    at::set_num_threads(count);
    if (device.is_cuda()) {
        at::globalContext().setDeterministicCuDNN(true);
        at::globalContext().setBenchmarkCuDNN(
            false);  // it would choose by timings, and so differ between runs
    } else {
        keep_freed_memory();
    }
    return count;
}

// ---- How a recipe is computed ----

namespace {

// Threads that prepare batches for a GPU, which takes more than 100,000 small images a second.
constexpr int max_loader_threads = 8;

// What ONEDNN_MAX_CPU_ISA, or its older name, leaves libtorch's oneDNN.
bool onednn_may_use_avx512() {
    for (const char* variable : {"ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"}) {
        const char* value = std::getenv(variable);
        if (value == nullptr || *value == '\0') continue;
        const std::string_view newest(value);
        return newest == "ALL" || newest == "DEFAULT" || newest.starts_with("AVX512") ||
               newest.starts_with("AVX10");
    }
    return true;
}

// Without AVX-512 oneDNN has no bf16 convs, and libtorch's own are many times slower than f32.
bool has_fast_bf16(const at::Device& device) {
    return !device.is_cpu() || (onednn_may_use_avx512() && __builtin_cpu_supports("avx512bw") &&
                                __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"));
}

// What a CIFAR image takes, one thread prepares tens of thousands of times a second, which no CPU trains. Images that
// are decoded or resized on the way take a hundred times as long.
int loader_threads(const at::Device& device, const DataSet& data, const Recipe& recipe) {
    const bool is_light =
        data.train.pictures == nullptr && !recipe.augmentation.random_resized_crop.has_value();
    if (!is_light) return usable_cores();
    return device.is_cuda() ? std::min(max_loader_threads, usable_cores()) : 1;
}

}  // namespace

ComputeSettings settings_for(const Recipe& recipe, const at::Device& device, const DataSet& data) {
    ComputeSettings settings;
    settings.device = device;
    const bool bf16 = recipe.precision == TrainingPrecision::bf16 && has_fast_bf16(device);
    settings.type = bf16 ? at::kBFloat16 : at::kFloat;
    settings.channels_last = recipe.channels_last;
    settings.loader_threads = loader_threads(device, data, recipe);
    return settings;
}

// ---- Batches, and how often a network is right ----

namespace {

constexpr int evaluation_batch = 200;

}  // namespace

ImageSize input_size(const ModelSpec& model) {
    return {model.resolution, model.input_pixels_across()};
}

void require_fit(const ModelSpec& model, const ImageSet& images) {
    if (model.in_channels == images.channels && model.resolution == images.height &&
        model.input_pixels_across() == images.width && model.classes == images.classes) {
        return;
    }
    const auto shape = [](int channels, int height, int width, int classes) {
        return std::to_string(channels) + "x" + std::to_string(height) + "x" + std::to_string(width) +
               " and " + std::to_string(classes) + " classes";
    };
    throw InputError("model " + model.name + " is made for images of " +
                     shape(model.in_channels, model.resolution, model.input_pixels_across(), model.classes) +
                     ", and the data has " +
                     shape(images.channels, images.height, images.width, images.classes) +
                     "; choose another model or other data");
}

void place(TorchNetwork& network, const ComputeSettings& settings) {
    const at::NoGradGuard no_grad;
    network.to(settings.device);
    if (!settings.channels_last) return;
    for (const auto& node : network.nodes()) {
        if (node->weight.defined() && node->weight.dim() == 4) {
            node->weight.set_data(node->weight.detach().contiguous(at::MemoryFormat::ChannelsLast));
        }
    }
}

at::Tensor images_tensor(const float* images, int count, const ImageSet& shape,
                         const ComputeSettings& settings) {
    // libtorch's dimensions are N C H W whatever the strides are. It only reads what it is given here.
    float* memory = const_cast<float*>(images);
    const std::int64_t c = shape.channels, h = shape.height, w = shape.width;
    const std::vector<std::int64_t> strides = settings.channels_last
                                                  ? std::vector<std::int64_t>{c * h * w, 1, w * c, c}
                                                  : std::vector<std::int64_t>{c * h * w, h * w, w, 1};
    return at::from_blob(memory, {count, c, h, w}, strides, at::kFloat).to(settings.device, settings.type);
}

at::Tensor labels_tensor(const std::int64_t* labels, int count, const ComputeSettings& settings) {
    return at::from_blob(const_cast<std::int64_t*>(labels), {count}, at::kLong).to(settings.device);
}

std::optional<double> accuracy(TorchNetwork& network, const ImageSet& images,
                               const Normalization& normalization, const ComputeSettings& settings,
                               const std::function<bool()>& keep_going) {
    const at::NoGradGuard no_grad;
    const bool was_training = network.is_training();
    network.eval();
    BatchSettings batches;
    batches.batch = evaluation_batch;
    batches.channels_last = settings.channels_last;
    batches.threads = settings.loader_threads;
    BatchLoader loader(images, normalization, batches);
    loader.start(0);
    std::int64_t right = 0;
    bool stopped = false;
    while (const auto batch = loader.next()) {
        if (!keep_going()) {
            stopped = true;
            break;
        }
        const at::Tensor logits =
            network.forward(images_tensor(batch->images, batch->count, images, settings));
        const at::Tensor labels = labels_tensor(batch->labels, batch->count, settings);
        right += logits.argmax(1).eq(labels).sum().item<std::int64_t>();
    }
    network.train(was_training);
    if (stopped) return std::nullopt;
    return images.count() == 0 ? 0.0 : static_cast<double>(right) / images.count();
}

}  // namespace hacscale::training
