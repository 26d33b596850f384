// TensorProto as a Tensor: its numbers come as bytes, as typed lists, or in another file.
#pragma once

#include <string_view>

#include "models/formats/onnx/detail/file_data.hpp"
#include "models/formats/onnx/detail/protobuf.hpp"
#include "models/formats/onnx/model.hpp"

namespace hacscale::onnx::detail {

// What reading a file needs everywhere.
struct Source {
    Bytes file;  // the whole file; tensors are parts of it
    ExternalFiles external;
    Budget budget;
};

// Throws InputError that names the tensor.
Tensor read_tensor(std::string_view message, Source& source);

}  // namespace hacscale::onnx::detail
