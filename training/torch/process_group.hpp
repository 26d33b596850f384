// Several processes that train one network, each on its part of every batch: torch's own c10d, gloo between
// CPUs and NCCL between GPUs. A process learns its place as torchrun tells it: RANK, WORLD_SIZE, MASTER_ADDR,
// MASTER_PORT (and GLOO_SOCKET_IFNAME where a machine has several networks).
// Life cycle: opened once, before the first step, by all processes; then all make the same calls in the same
// order. A process that dies makes the others' next call fail with a WorkError, and a new start of all of
// them resumes from the last checkpoint.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <vector>

namespace hacscale::training {

class ProcessGroup {
public:
    virtual ~ProcessGroup() = default;
    virtual int rank() const = 0;
    virtual int size() const = 0;
    // Element by element over all processes, in place.
    virtual void sum(at::Tensor& tensor) = 0;
    // Overwrites every process's tensor with that of rank 0.
    virtual void broadcast(at::Tensor& tensor) = 0;
};

// A group of one process, with nothing to do, where WORLD_SIZE is not set or 1. InputError for variables that
// do not fit together, MissingError where this build has no transport for the device.
std::unique_ptr<ProcessGroup> open_process_group(const at::Device& device);

// Gradients of all processes averaged, in as few messages as buckets of 25 MB allow (DDP's size), with one
// more number that is summed along. Returns that sum.
double average_gradients(ProcessGroup& group, const std::vector<at::Tensor>& parameters, double along);

}  // namespace hacscale::training
