// Rows that other programs measured, read in every form. Rows that are read make a table that a check finds sound.
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "profiler/table/check.hpp"
#include "profiler/table/import/import.hpp"
#include "profiler/table/import/tensorrt.hpp"
#include "profiler/table/table.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/fuzzers.hpp"

namespace hacscale::fuzzing {
namespace {

constexpr std::size_t max_rows = 100;

// A table of its own takes a while, so of some rows alone.
void check_rows(const ImportedRows& imported) {
    if (imported.rows.empty() || imported.rows.size() > max_rows) return;
    const std::filesystem::path file = folder() / "imported.db";
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file.string() + suffix);
    Table::open(file, OpenMode::create, &imported.device).put(imported.rows);
    for (const Finding& finding : check_table(file).findings) {
        require(finding.severity != Severity::error, "an imported table is not sound: " + finding.text);
    }
}

// Of the network, each layer is a node of the ONNX file with the name of the layer.
TensorRtNetwork network_of_engine() {
    TensorRtNetwork network{"resnet8-cifar", "hash", lower(find_model("resnet8-cifar")), {}};
    for (const Node& node : network.graph.nodes) network.nodes.push_back({node.name});
    return network;
}

}  // namespace

void fuzz_import(std::string_view bytes) {
    static const TensorRtNetwork network = network_of_engine();
    static const ImportSettings settings{
        .device = "Phone", .software = "Tool 1", .networks = {network.graph}};
    static const std::filesystem::path profile = file_with(
        R"([{"count": 10}, {"name": "conv1 + relu", "averageMs": 0.2}, {"name": "pool", "averageMs": 0.1}])",
        "profile.json");
    const std::filesystem::path file = file_with(bytes, "fuzzed.txt");
    const auto attempt = [&](const auto& read) {
        if (const auto imported = accepted(bytes, read)) check_rows(*imported);
    };
    attempt([&] { return import_rows(file, TabularFormat::csv, {}); });
    attempt([&] { return import_rows(file, TabularFormat::json, settings); });
    attempt([&] { return import_halp(file, settings); });
    for (const TensorRtFiles& files :
         {TensorRtFiles{file, {}, {}}, TensorRtFiles{profile, file, {}}, TensorRtFiles{profile, {}, file}}) {
        attempt([&] { return import_tensorrt(files, network, settings, {}); });
        attempt([&] { return import_tensorrt(files, {}, settings, {}); });
    }
}

}  // namespace hacscale::fuzzing
