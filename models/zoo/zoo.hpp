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
// A zoo name, or the path of a YAML file. Throws InputError naming near misses.
ModelSpec find_model(const std::string& name_or_file);
// The same as a network to be run as it is: with the model's name, and without weights.
Network find_network(const std::string& name_or_file);

}  // namespace hacscale
