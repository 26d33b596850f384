// What the programs that measure on a device share: their arguments, their file of JSON lines, networks that are
// ready to run, and how they end.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "kernels/backend/backend_registry.hpp"
#include "models/graph/graph_values.hpp"

namespace hacscale::bench {

// Ends the program after --help, and with status 2 where the arguments are wrong.
inline void parse_or_exit(CLI::App& parser, int argc, char** argv) {
    try {
        parser.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::exit(parser.exit(error) == 0 ? 0 : static_cast<int>(ExitStatus::bad_input));
    }
}

// The file of --out. Without a name it is not open, and what is written to it goes nowhere.
inline std::ofstream open_lines(const std::string& file) {
    std::ofstream lines;
    if (file.empty()) return lines;
    lines.open(file);
    if (!lines) throw WorkError("the file " + file + " cannot be written");
    return lines;
}

// What programs take that time layers of their own at several batches.
struct LayerOptions {
    std::string device = "cuda:0";
    std::string dtype = "f16";
    std::vector<int> batches{1, 64};
    std::string out;
};

// `line`: what a line of --out is of.
inline void declare(CLI::App& parser, LayerOptions& options, const std::string& line) {
    parser.add_option("--device", options.device, "Device, as \"hacscale devices\" names it")
        ->capture_default_str();
    parser.add_option("--dtype", options.dtype, "Data type")->capture_default_str();
    parser.add_option("--batches", options.batches, "Images at once")->capture_default_str()->delimiter(',');
    parser.add_option("--out", options.out, "File for one line of JSON a " + line);
}

// A network that is compiled and has weights and an input, as programs want it that only time it. Throws WorkError with the model's name and the reason where it cannot run.
inline std::unique_ptr<NetworkRunner> ready_runner(const DeviceHandle& device, const std::string& model,
                                                   const Graph& network, const CompileOptions& options) {
    Compiled compiled = device.backend->compile(device.device.id, network, options);
    if (!compiled.runner) throw WorkError(model + ": " + compiled.reason);
    compiled.runner->load(random_weights(network, 1));
    set_inputs(*compiled.runner, random_inputs(network, options.batch, 2));
    return std::move(compiled.runner);
}

// Runs `work` and returns the program's exit status; an exception is a line on standard error, behind the program's name.
template <typename Work>
int exit_status_of(const char* program, const Work& work) {
    try {
        work();
        return static_cast<int>(ExitStatus::done);
    } catch (const Error& error) {
        std::cerr << program << ": " << error.what() << '\n';
        return static_cast<int>(error.status());
    } catch (const std::exception& error) {
        std::cerr << program << ": " << error.what() << '\n';
        return static_cast<int>(ExitStatus::failed);
    }
}

}  // namespace hacscale::bench
