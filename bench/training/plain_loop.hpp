// A training loop as libtorch's own tutorials write it: f32, dense NCHW tensors, torch's data loader and
// transforms, torch's SGD. On the same network as ours, so that only the loop differs.
#pragma once

#include <functional>

#include "models/graph/graph.hpp"
#include "training/data_set.hpp"

namespace hacscale::bench {

// Called after each step with the images trained so far; the loop ends when it says no.
using AfterStep = std::function<bool(std::int64_t images)>;

void train_plainly(const Graph& network, const DataSet& data, int batch, int loader_threads,
                   const AfterStep& after_step);

}  // namespace hacscale::bench
