// Whether a network computes on a device what it should: its outputs against the double-precision reference, with the
// weights that it runs with.
#pragma once

#include <optional>
#include <string>

#include "kernels/backend/backend_registry.hpp"
#include "models/graph/graph_values.hpp"
#include "models/graph/network.hpp"
#include "models/ops/layer_spec.hpp"

namespace hacscale::harness {

struct CheckedOutputs {
    double relative_error =
        0.0;             // of the network's outputs, the greatest; not a number where an output is none
    double bound = 0.0;  // at most this, of this data type
    // The layer whose output is furthest off, in the network and so after all the layers in front of it.
    std::string worst_layer;
    std::string worst_key;
    double worst_error = 0.0;
    // Of a network that puts out one vector an image: for how many images its greatest number has the place that the reference's has.
    std::optional<int> same_class;

    bool right() const { return relative_error <= bound; }
};

// Relative errors are those of relative_error() (models/ops/reference.hpp). The inputs are the first `batch` of `samples`, which
// begin again where they are fewer, and ranges of 8-bit integers are taken from all of them; without samples, inputs are random. A
// network without weights runs with random ones. The network takes the device's layout. Takes as long as the reference: seconds a
// GMAC. Throws WorkError when the device cannot run the network.
CheckedOutputs check_outputs(const DeviceHandle& device, Network network, int batch, DataType type,
                             const InputSamples& samples = {});

}  // namespace hacscale::harness
