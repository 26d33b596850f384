// ONNX files as values (model.hpp), in and out, and made ready for the import: shapes fixed and inferred, constants folded,
// nodes in one form whatever opset and exporter wrote them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "models/formats/onnx/model.hpp"

namespace hacscale::onnx {

// The versions of ONNX's own operators that are read and written.
constexpr std::int64_t min_opset = 9;
constexpr std::int64_t max_opset = 21;
// Of the weights in one file: protobuf holds 2 GB, of which names and nodes need little.
constexpr std::uint64_t max_weight_bytes = 2'000'000'000;

// Reads a file strictly. Large tensors are parts of the mapped file, so memory grows little beyond the file's size; the file
// must not be changed while the model or a copy of one of its tensors lives. External data is read from files in the folder of
// the model and below it, and nowhere else. Nodes are returned in an order in which each reads what earlier nodes wrote.
// Throws InputError, with file, node, operator and attribute, for everything that is no valid ONNX file of opset 9 to 21 and for
// control flow, quantized graphs and operators of other domains.
Model read_file(const std::filesystem::path& file);
// The same from memory, which is copied where the model needs it. `origin` stands for the file in messages; external data is refused.
Model read_bytes(std::string_view bytes, const std::string& origin);

// The model as the bytes of an ONNX file: read_bytes(to_bytes(m)) == m for a model in running order whose nodes have no `sources`.
// Throws InputError for weights of more than max_weight_bytes.
std::string to_bytes(const Model& model);
// Writes the file, which is replaced. Where the weights have more than `max_bytes_inside`, large ones are in a second file beside it,
// FILE.data, as external data. Throws WorkError for what cannot be written.
void write_file(const Model& model, const std::filesystem::path& file,
                std::uint64_t max_bytes_inside = max_weight_bytes);

// Gives every input a shape of numbers: that of `shapes` where the input is named there, with or without the batch (3x224x224 for
// an input of four dimensions); else the file's. The first dimension of an input of two or more is the batch. Where the file leaves it open,
// it becomes `batch`; where the file fixes another number, that stays for now and simplify() changes it. Throws InputError for another
// open dimension (and says which `--input NAME=...` to give), for a name that is no input, and for a shape that contradicts the file's.
void fix_inputs(Model& model, std::int64_t batch,
                const std::map<std::string, std::vector<std::int64_t>>& shapes);

// The network in the form that an import reads. All inputs must have shapes of numbers. Afterwards:
//  - graph.value_info holds type and sizes of every value that a node writes, outputs included;
//  - what can be computed without the inputs is an initializer; Constant, Identity, Dropout and operations that change nothing are gone;
//    unused nodes and initializers are dropped;
//  - each node has a name of its own, and its parameters are attributes: the README of this folder has the table of forms;
//  - auto_pad has become pads; a Pad of zeros has become the pads of the conv or pool after it where that computes the same;
//  - what exporters write in several nodes is one node of the domain "hacscale", with `sources`.
// Throws InputError with node, operator and attribute for what it cannot infer.
Model simplify(Model model);

}  // namespace hacscale::onnx
