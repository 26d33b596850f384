#include "cli/options.hpp"

namespace hacscale::cli {

namespace {

constexpr int largest_batch = 65536;

}  // namespace

void add_batch_and_dtype(CLI::App& parser, MeasureOptions& options) {
    parser.add_option("--batch", options.batch, "Images at once")
        ->check(CLI::Range(1, largest_batch))
        ->capture_default_str();
    parser.add_option("--dtype", options.dtype, "Data type: f32, bf16 or f16")->capture_default_str();
}

void add_measure_options(CLI::App& parser, MeasureOptions& options) {
    add_batch_and_dtype(parser, options);
    parser.add_option("--cache", options.cache, "State of the caches: network, warm or cold")
        ->capture_default_str();
}

void add_device_option(CLI::App& parser, std::string& device) {
    parser.add_option("--device", device, "Device, as \"hacscale devices\" names it")->capture_default_str();
}

}  // namespace hacscale::cli
