// The operators of ONNX by family; find_op() looks in all of them.
#pragma once

#include <optional>
#include <vector>

#include "models/formats/onnx/detail/step.hpp"

namespace hacscale::onnx::detail {

std::vector<Op> elementwise_ops();
std::vector<Op> shape_ops();
std::vector<Op> constant_ops();
std::vector<Op> index_ops();
std::vector<Op> window_ops();
std::vector<Op> reduction_ops();
std::vector<Op> resize_ops();
std::vector<Op> product_ops();

// What Shape and Size give, which depends on the input's sizes alone; nothing for other operators.
std::optional<Ints> shape_result(const Step& step);

// The output has the type and sizes of the first input.
std::vector<ValueType> infer_same(const Step& step);

}  // namespace hacscale::onnx::detail
