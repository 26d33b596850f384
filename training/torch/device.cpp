#include "training/torch/device.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <sched.h>
#include <torch/cuda.h>
#ifdef HACSCALE_TORCH_CUDA
#include <ATen/cuda/CUDAContext.h>
#endif

#include <algorithm>
#include <charconv>
#include <fstream>
#include <thread>

#include "base/error.hpp"

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
    }
    return count;
}

}  // namespace hacscale::training
