#pragma once

#include <string>
#include <vector>

#include "models/stages/model_spec.hpp"

namespace hacscale {

// stage_name() of each stage, in order: a stage without a name is "stage 3", by its place from 1.
std::vector<std::string> stage_names(const ModelSpec& model);

}  // namespace hacscale
