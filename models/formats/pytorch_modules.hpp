// The modules of a network written as PyTorch code: a tree of nn.ModuleDict whose leaves are layers, so that
// the layer "stage1.block2.conv1" has the tensor "stage1.block2.conv1.weight".
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/stages/model_spec.hpp"

namespace hacscale::detail {

class PytorchModules {
public:
    // The model is named in messages.
    explicit PytorchModules(const ModelSpec& model) : model_(model) {}

    // Where the code has a module: a name that PyTorch has for itself has an underscore at its end.
    struct Place {
        std::vector<std::string> groups;  // one in the other
        std::string name;                 // in the last of them
    };
    // `path` is a layer's name, "stage1.block2.conv1". Throws InputError for one that cannot be a module's.
    Place place(std::string_view path) const;

    // `expression` is the code that makes the module. Throws InputError where the path is another one's.
    void add(std::string_view path, std::string expression);
    // The statements of __init__ that make them all, in the order in which they came.
    std::string code() const;

private:
    struct Module {
        std::string name;
        std::string expression;  // of a layer; empty in a group
        std::vector<Module> children;
        std::map<std::string, std::size_t> places;     // of children by name
        Module& child(const std::string& child_name);  // made where it is not there
    };

    [[noreturn]] void refuse(std::string_view path) const;
    static void print(const Module& module, int indent, std::string& code);

    const ModelSpec& model_;
    Module root_;
};

}  // namespace hacscale::detail
