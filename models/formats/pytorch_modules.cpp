#include "models/formats/pytorch_modules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"

namespace hacscale::detail {
namespace {

// Attributes of nn.Module and nn.ModuleDict that could be a stage's name: modules cannot have them.
constexpr std::array reserved{"add_module", "apply",        "bfloat16",   "buffers",    "call_super_init",
                              "children",   "clear",        "compile",    "cpu",        "cuda",
                              "double",     "dump_patches", "eval",       "extra_repr", "float",
                              "forward",    "half",         "ipu",        "items",      "keys",
                              "modules",    "mtia",         "parameters", "pop",        "requires_grad_",
                              "state_dict", "to",           "to_empty",   "train",      "training",
                              "type",       "update",       "values",     "xpu",        "zero_grad"};
constexpr std::array reserved_beginnings{"_", "get_", "load_", "named_", "register_", "set_", "share_", "T_"};

std::string as_written(std::string_view part) {
    const bool taken = std::find(reserved.begin(), reserved.end(), part) != reserved.end() ||
                       std::any_of(reserved_beginnings.begin(), reserved_beginnings.end(),
                                   [&](std::string_view beginning) { return part.starts_with(beginning); });
    return std::string(part) + (taken ? "_" : "");
}

// What may stand in a name between its dots, as models/formats/formats.hpp allows it.
bool is_sound(std::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-' || c == '+' || c == '@';
    });
}

}  // namespace

void PytorchModules::refuse(std::string_view path) const {
    throw InputError(fmt::format(
        "the layer {} of {} cannot be a PyTorch module: its name is another layer's, or a part of it between "
        "dots is empty or has other signs than letters, digits and _ - + @; rename its stage",
        path, model_.name));
}

PytorchModules::Place PytorchModules::place(std::string_view path) const {
    Place place;
    for (std::string_view rest = path;;) {
        const std::size_t dot = rest.find('.');
        const std::string_view part = rest.substr(0, dot);
        if (!is_sound(part)) refuse(path);
        if (dot == std::string_view::npos) {
            place.name = as_written(part);
            return place;
        }
        place.groups.push_back(as_written(part));
        rest.remove_prefix(dot + 1);
    }
}

void PytorchModules::add(std::string_view path, std::string expression) {
    const Place place = this->place(path);
    Module* group = &root_;
    for (const std::string& name : place.groups) {
        group = &group->child(name);
        if (!group->expression.empty()) refuse(path);
    }
    Module& layer = group->child(place.name);
    if (!layer.expression.empty() || !layer.children.empty()) refuse(path);
    layer.expression = std::move(expression);
}

PytorchModules::Module& PytorchModules::Module::child(const std::string& child_name) {
    const auto [entry, is_new] = places.try_emplace(child_name, children.size());
    if (is_new) children.emplace_back().name = child_name;
    return children[entry->second];
}

void PytorchModules::print(const Module& module, int indent, std::string& code) {
    const std::string margin(static_cast<std::size_t>(indent), ' ');
    if (!module.expression.empty()) {
        code += fmt::format("{}\"{}\": {},\n", margin, module.name, module.expression);
        return;
    }
    code += fmt::format("{}\"{}\": nn.ModuleDict({{\n", margin, module.name);
    for (const Module& child : module.children) print(child, indent + 4, code);
    code += margin + "}),\n";
}

std::string PytorchModules::code() const {
    std::string code;
    for (const Module& group : root_.children) {
        code += fmt::format("        self.add_module(\"{}\", nn.ModuleDict({{\n", group.name);
        for (const Module& child : group.children) print(child, 12, code);
        code += "        }))\n";
    }
    return code;
}

}  // namespace hacscale::detail
