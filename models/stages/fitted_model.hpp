// A model for other data than its own: for images of other sizes, or another number of classes. Its name says so, as
// "resnet18-128-pixels-10-classes" does, and is understood where names of the zoo are (zoo/zoo.hpp).
#pragma once

#include <string>

#include "models/stages/model_spec.hpp"

namespace hacscale {

// For square images of this many pixels. Throws InputError for a size that the network cannot take.
ModelSpec with_resolution(const ModelSpec& model, int pixels);

// With a last layer that tells so many classes apart. Throws InputError for a network without a linear layer at its end.
ModelSpec with_classes(const ModelSpec& model, int classes);

// "resnet18-128-pixels-10-classes" in its parts.
struct FittedName {
    std::string model;  // what is left of the name
    int pixels = 0;     // 0: the model's own
    int classes = 0;    // 0: the model's own
};
FittedName parse_fitted_name(const std::string& name);

}  // namespace hacscale
