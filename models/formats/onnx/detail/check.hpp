// What holds of every model that was read: opsets and operators that can be imported, values that are written once and before
// they are read.
#pragma once

#include "models/formats/onnx/model.hpp"

namespace hacscale::onnx::detail {

// Brings the nodes into running order where they are not in it, and takes initializers off the list of inputs. Throws InputError for
// the rest, with the node and operator; the text does not name the file.
void check_and_sort(Model& model);

}  // namespace hacscale::onnx::detail
