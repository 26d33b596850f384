// What is wrong with a ModelSpec, and at which of its parts: whoever knows where that part was written (a
// line of a YAML file) can say so.
#pragma once

#include <string>
#include <utility>

#include "base/error.hpp"
#include "models/stages/model_spec.hpp"

namespace hacscale {

enum class ModelSection { model, stem, stages, head };

// A part of a ModelSpec: the section, the entry within it, and the name of the value as the YAML format calls
// it.
struct ModelPlace {
    ModelSection section = ModelSection::model;
    int index = 0;      // of the entry in its section; 0 in `model`
    std::string field;  // for example "width"; empty when the entry as a whole is meant
};

class ModelProblem : public InputError {
public:
    // `where` is the place in words, for example "stage 'stage2'".
    ModelProblem(ModelPlace place, const std::string& where, const std::string& fault)
        : InputError(where.empty() ? fault : where + ": " + fault), place_(std::move(place)), fault_(fault) {}
    const ModelPlace& place() const { return place_; }
    const std::string& fault() const { return fault_; }  // without the place

private:
    ModelPlace place_;
    std::string fault_;
};

namespace detail {

// The checks that need no shapes: each value in its range, inner widths of the right number. They come before
// lowering, so that lowering never computes with a wild number or allocates in proportion to one. Throws
// ModelProblem.
void check_fields(const ModelSpec& model);

// The place in words, for example "stage 'stage2'" or "entry 2 of the stem".
std::string words_for(const ModelSpec& model, ModelSection section, int index);

}  // namespace detail

}  // namespace hacscale
