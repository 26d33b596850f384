// What a scaled network's layers are in terms of its base's, as JSON for programs that resize a module of their own: the Python package,
// for networks that came from an ONNX file. docs/formats.md describes the form.
#pragma once

#include <string>
#include <vector>

#include "models/graph/network.hpp"
#include "models/weights/scaled_network.hpp"

namespace hacscale {

// `groups` and `repeats` are those that the scaled network was made with; of networks with stages, those of lower(base).
std::string channel_document(const Network& base, const std::vector<ChannelGroup>& groups,
                             const std::vector<Repeat>& repeats, const ScaledNetwork& scaled);

}  // namespace hacscale
