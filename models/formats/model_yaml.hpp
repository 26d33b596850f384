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

}  // namespace hacscale
