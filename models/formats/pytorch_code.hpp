// A network written as PyTorch code: a file with one nn.Module class that imports torch and nothing else. It
// computes what the lowered network computes, and learns as many numbers.
//
// Made with `folded=False`, the default, convs have their batch-norms, as in training. Made with
// `folded=True` it is the network as it runs here: batch-norms are part of the convs, and the names and
// shapes in its state_dict() are those of the files that `export-weights` writes (docs/formats.md,
// "Weights"). In both forms a conv's and a linear layer's tensors have the same names; a batch-norm is beside
// its conv, with "_bn" after the name.
#pragma once

#include <string>

#include "models/stages/model_spec.hpp"

namespace hacscale {

// Throws InputError where names of stages are such that PyTorch cannot tell its modules apart, and as check()
// does. A part of a stage's name that PyTorch's modules have for themselves ("train", "half") gets an
// underscore at its end.
std::string pytorch_code(const ModelSpec& model);

// "resnet20-cifar": Resnet20Cifar.
std::string pytorch_class_name(const ModelSpec& model);

}  // namespace hacscale
