// The networks that come with the program: the YAML files of models/zoo/.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "models/graph/network.hpp"
#include "models/stages/model_spec.hpp"

namespace hacscale {

// The folder searched: $HACSCALE_MODELS, else beside the program (../share/hacscale/models), else the source
// tree's.
std::filesystem::path zoo_folder();
std::vector<std::string> zoo_names();  // sorted naturally (resnet20 before resnet110)
// A zoo name, one with "-128-pixels", "-10-classes" or both behind it (stages/fitted_model.hpp), or the path of a YAML file. Throws
// InputError naming near misses, and for an ONNX file, which has no stages.
ModelSpec find_model(const std::string& name_or_file);
// Whether the text is the path of an ONNX file, which is a network without stages.
bool is_onnx_file(const std::string& name_or_file);
// A model with stages as a network: with the model's name, layout and hash, and without weights.
Network network_of(const ModelSpec& model);

}  // namespace hacscale
