#include "models/zoo/find_network.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "models/formats/onnx_import/onnx_import.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale {

Network find_network(const std::string& name_or_file, const InputShapes& shapes) {
    if (is_onnx_file(name_or_file)) return import_onnx(name_or_file, shapes);
    if (!shapes.empty()) {
        throw InputError(
            fmt::format("{} has one input, of the size that the model says; only inputs of ONNX files can be "
                        "given other sizes, and \"{}\" was given one",
                        name_or_file, shapes.begin()->first));
    }
    return network_of(find_model(name_or_file));
}

}  // namespace hacscale
