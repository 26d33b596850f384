// ModelSpec from and to YAML. Reading is strict: an unknown or repeated key, a wrong type, a value out of
// range or parts that do not fit is an InputError with file, line and what was expected. The format is
// described in docs/formats.md.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "models/stages/model_spec.hpp"

namespace hacscale {

// At most 1 MiB of UTF-8; aliases (anchors that refer to themselves among them) are refused.
ModelSpec load_model(const std::filesystem::path& file);
// `origin` stands for the file in messages.
ModelSpec parse_model(std::string_view yaml, const std::string& origin);
// parse_model(to_yaml(m)) == m for a model that passes check(), has a name that the format allows, and the
// default layout (the layout belongs to a run, not to a model).
std::string to_yaml(const ModelSpec& model);
// Stable fingerprint of a model's content, its name and source left out.
std::string model_hash(const ModelSpec& model);

// A network written as PyTorch code: a file with one nn.Module class that imports torch and nothing else. It
// computes what the lowered network computes, and learns as many numbers.
//
// Made with `folded=False`, the default, convs have their batch-norms, as in training. Made with
// `folded=True` it is the network as it runs here: batch-norms are part of the convs, and the names and
// shapes in its state_dict() are those of the files that `export-weights` writes (docs/formats.md,
// "Weights"). In both forms a conv's and a linear layer's tensors have the same names; a batch-norm is beside
// its conv, with "_bn" after the name. Its load_state_dict() says in one sentence what does not fit. Outputs that are maps
// are returned as maps, several outputs as a tuple.

// Throws InputError where names of stages are such that PyTorch cannot tell its modules apart, and as check()
// does. A part of a stage's name that PyTorch's modules have for themselves ("train", "half") gets an
// underscore at its end.
std::string pytorch_code(const ModelSpec& model);

// "resnet20-cifar": Resnet20Cifar.
std::string pytorch_class_name(const ModelSpec& model);

}  // namespace hacscale
