// A training step on a GPU as a CUDA graph. At the sizes of CIFAR's networks, starting the kernels of a step
// one by one takes several times as long as running them.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>

#include "training/batches.hpp"
#include "training/images.hpp"

namespace hacscale::training {

// What differs between steps, in GPU memory that is the same for all of them.
struct StepTensors {
    at::Tensor images;         // f32 [batch][C][H][W], with the strides of the batches
    at::Tensor labels;         // int64 [batch]
    at::Tensor learning_rate;  // f32, no dimension
    at::Tensor kept;           // f32, no dimension: the share that the moving average keeps
    // Of mixed images (Batch); else undefined.
    at::Tensor other_labels;  // int64 [batch]
    at::Tensor shares;        // f32 [batch]
};

struct BatchShape {
    int batch = 0;
    const ImageSet* images = nullptr;  // whose images it has
    bool channels_last = false;
    bool mixed = false;  // other_labels and shares are given
};

class CapturedStep {
public:
    virtual ~CapturedStep() = default;
    // Does the work on this batch; returns before the GPU is done. The batch may be overwritten afterwards.
    virtual void run(const Batch& batch, double learning_rate, double kept) = 0;
};

// `work` is called for the first steps, in which libraries set themselves up, and once to be recorded; it
// must only start work on the GPU and never wait for it. Everything on `device` has to run on the stream that
// is current here, which must not be the default one (see SideStream). Nothing in a build without CUDA.
std::unique_ptr<CapturedStep> capture_step(const at::Device& device, const BatchShape& shape,
                                           std::function<void(const StepTensors&)> work);

// While it lives, this thread's work on a GPU runs on a stream of its own. Of a CPU it is nothing.
class SideStream {
public:
    explicit SideStream(const at::Device& device);
    ~SideStream();
    SideStream(const SideStream&) = delete;
    SideStream& operator=(const SideStream&) = delete;

private:
    class Guard;
    std::unique_ptr<Guard> guard_;
};

}  // namespace hacscale::training
