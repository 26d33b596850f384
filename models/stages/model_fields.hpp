// The checks of a ModelSpec that need no shapes: each value in its range, inner widths of the right number.
// They come before lowering, so that lowering never computes with a wild number or allocates in proportion to
// one.
#pragma once

#include <string>

#include "models/stages/model_problem.hpp"
#include "models/stages/model_spec.hpp"

namespace hacscale::detail {

// Throws ModelProblem.
void check_fields(const ModelSpec& model);

// The place in words, for example "stage 'stage2'" or "entry 2 of the stem".
std::string words_for(const ModelSpec& model, ModelSection section, int index);

}  // namespace hacscale::detail
