#include "training/torch/captured_step.hpp"

#ifdef HACSCALE_TORCH_CUDA
#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <array>
#include <cstring>
#include <utility>
#endif

namespace hacscale::training {

#ifdef HACSCALE_TORCH_CUDA
namespace {

constexpr int steps_before_capture = 3;

// Page-locked memory that a batch is copied from while the next one is put into the other slot.
struct Slot {
    at::Tensor images, labels, rates, other_labels, shares;
    at::cuda::CUDAEvent copied;
};

class CudaStep : public CapturedStep {
public:
    CudaStep(const at::Device& device, const BatchShape& shape, std::function<void(const StepTensors&)> work)
        : work_(std::move(work)) {
        const int batch = shape.batch;
        const std::int64_t c = shape.images->channels, h = shape.images->height, w = shape.images->width;
        const auto numbers = at::TensorOptions(at::kFloat);
        const auto whole = at::TensorOptions(at::kLong);
        const auto flat = std::int64_t{batch} * c * h * w;
        images_ = at::empty({flat}, numbers.device(device));
        labels_ = at::empty({batch}, whole.device(device));
        rates_ = at::empty({2}, numbers.device(device));
        tensors_.images = shape.channels_last ? images_.view({batch, h, w, c}).permute({0, 3, 1, 2})
                                              : images_.view({batch, c, h, w});
        tensors_.labels = labels_;
        tensors_.learning_rate = rates_[0];
        tensors_.kept = rates_[1];
        if (shape.mixed) {
            tensors_.other_labels = at::empty({batch}, whole.device(device));
            tensors_.shares = at::empty({batch}, numbers.device(device));
        }
        for (Slot& slot : slots_) {
            slot.images = at::empty({flat}, numbers.pinned_memory(true));
            slot.labels = at::empty({batch}, whole.pinned_memory(true));
            slot.rates = at::empty({2}, numbers.pinned_memory(true));
            if (!shape.mixed) continue;
            slot.other_labels = at::empty({batch}, whole.pinned_memory(true));
            slot.shares = at::empty({batch}, numbers.pinned_memory(true));
        }
    }

    void run(const Batch& batch, double learning_rate, double kept) override {
        Slot& slot = slots_[steps_ % slots_.size()];
        slot.copied.synchronize();
        std::memcpy(slot.images.data_ptr<float>(), batch.images, slot.images.nbytes());
        std::memcpy(slot.labels.data_ptr<std::int64_t>(), batch.labels, slot.labels.nbytes());
        slot.rates.data_ptr<float>()[0] = static_cast<float>(learning_rate);
        slot.rates.data_ptr<float>()[1] = static_cast<float>(kept);
        images_.copy_(slot.images, true);
        labels_.copy_(slot.labels, true);
        rates_.copy_(slot.rates, true);
        if (batch.shares != nullptr) {
            std::memcpy(slot.other_labels.data_ptr<std::int64_t>(), batch.other_labels,
                        slot.other_labels.nbytes());
            std::memcpy(slot.shares.data_ptr<float>(), batch.shares, slot.shares.nbytes());
            tensors_.other_labels.copy_(slot.other_labels, true);
            tensors_.shares.copy_(slot.shares, true);
        }
        slot.copied.record();
        if (steps_ < steps_before_capture) {
            work_(tensors_);
        } else {
            if (steps_ == steps_before_capture) capture();
            graph_.replay();
        }
        ++steps_;
    }

private:
    void capture() {
        graph_.capture_begin();
        work_(tensors_);
        graph_.capture_end();
    }

    std::function<void(const StepTensors&)> work_;
    at::Tensor images_, labels_, rates_;
    StepTensors tensors_;
    std::array<Slot, 2> slots_;
    at::cuda::CUDAGraph graph_;
    std::size_t steps_ = 0;
};

}  // namespace

std::unique_ptr<CapturedStep> capture_step(const at::Device& device, const BatchShape& shape,
                                           std::function<void(const StepTensors&)> work) {
    if (!device.is_cuda()) return nullptr;
    return std::make_unique<CudaStep>(device, shape, std::move(work));
}

class SideStream::Guard {
public:
    explicit Guard(const at::Device& device)
        : stream_(c10::cuda::getStreamFromPool(false, device.index())), guard_(stream_) {
        // What was started before, on the default stream, is done before anything here begins.
        c10::cuda::device_synchronize();
    }
    ~Guard() { stream_.synchronize(); }

private:
    c10::cuda::CUDAStream stream_;
    c10::cuda::CUDAStreamGuard guard_;
};

SideStream::SideStream(const at::Device& device) {
    if (device.is_cuda()) guard_ = std::make_unique<Guard>(device);
}
#else
std::unique_ptr<CapturedStep> capture_step(const at::Device&, const BatchShape&,
                                           std::function<void(const StepTensors&)>) {
    return nullptr;
}

class SideStream::Guard {};
SideStream::SideStream(const at::Device&) {}
#endif

SideStream::~SideStream() = default;

}  // namespace hacscale::training
