// Commands that measure what an answer lacks: with the device, state and threads of the table.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/events.hpp"
#include "harness/measure/table_view.hpp"
#include "profiler/table/table.hpp"

namespace hacscale::harness {

struct Remedy {
    std::vector<std::string> models;  // as they were named
    std::filesystem::path table;
    DeviceRecord device;
    MeasuredState state;
    std::vector<std::string> inputs{};  // sizes of ONNX files' inputs, as --input takes them

    // "hacscale profile MODELS --table T ...", and `more` options. Of an imported table, "hacscale table import".
    ShellCommand profile(const std::vector<std::string>& more = {}) const;
    // The same for the rows of the table that are noisy, and for longer.
    ShellCommand profile_noisy(std::vector<std::string> more = {}) const;
};

// Throws InputError where the table lacks a layer of the view's network; it names the layer, and the command that measures all.
void require_layers(const TableView& view, const std::string& network, const Remedy& remedy);

}  // namespace hacscale::harness
