// A network by the name or the file that a user gives, with stages or without. Apart from zoo.hpp, so that only what
// takes ONNX files is built on their reader.
#pragma once

#include <string>
#include <vector>

#include "models/graph/network.hpp"

namespace hacscale {

// A name of the zoo or the path of a YAML file, as find_model() takes it (zoo.hpp), as a network to be run as it is; or
// the path of an ONNX file (formats/onnx_import/onnx_import.hpp), which has weights; `shapes` are for its inputs. Throws
// InputError for shapes of another model's input.
Network find_network(const std::string& name_or_file, const InputShapes& shapes = {});

// Each is NAME=3x224x224. Throws InputError, which begins with `what`, for what is no name with sizes, and for a name that is
// given twice.
InputShapes input_shapes(const std::vector<std::string>& given, const std::string& what);

}  // namespace hacscale
