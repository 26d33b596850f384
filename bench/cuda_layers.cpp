// How fast are the ways to run each depthwise layer of the zoo on a GPU: this project's kernels against
// cuDNN's, and against the copy bandwidth of the device. Each run has cold caches, and the candidates of a
// layer take turns. usage: cuda_layers [--device cuda:N] [--dtype TYPE] [--batches 1,64] [--out FILE] FILE
// gets one line of JSON a layer, for bench/peers/compare_depthwise.py.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.hpp"
#include "kernels/cuda/candidate_timer.hpp"
#include "kernels/cuda/copy_bandwidth.hpp"
#include "kernels/cuda/cuda_device.hpp"
#include "kernels/cuda/fastest.hpp"
#include "models/layer_cost.hpp"
#include "models/zoo.hpp"
#include "profiler/timing/statistics.hpp"

using namespace hacscale;

namespace {

struct Options {
    std::string device = "cuda:0";
    std::string dtype = "f16";
    std::vector<int> batches{1, 64};
    std::string out;
};

struct LayerTimes {
    LayerSpec layer;
    int batch = 1;
    std::optional<double> own_us;      // the fastest of this project's kernels
    std::string own;                   // what it is called
    std::optional<double> library_us;  // the fastest of cuDNN's
    double bytes = 0.0;
};

std::set<LayerSpec> depthwise_layers() {
    std::set<LayerSpec> layers;
    for (const std::string& name : zoo_names()) {
        for (const NetworkNode& node : lower(find_model(name)).nodes) {
            if (node.layer.depthwise()) layers.insert(node.layer);
        }
    }
    return layers;
}

LayerTimes time_candidates(const cuda::LayerContext& context,
                           const std::shared_ptr<const cuda::DeviceBuffer>& flush) {
    LayerTimes times;
    times.layer = context.layer;
    times.batch = context.batch;
    times.bytes = static_cast<double>(cost_of(context.layer, context.batch, context.type).bytes);
    const cuda::LayerList candidates = cuda::layer_candidates(context);
    const cuda::Verdict verdict =
        cuda::fastest(candidates.size(), cuda::make_candidate_timer(context, candidates, flush));
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (!verdict.failures[i].empty()) continue;
        const std::string name = candidates[i]->implementation();
        const bool own = name.starts_with("hacscale");
        std::optional<double>& best = own ? times.own_us : times.library_us;
        if (best && *best <= verdict.median_us[i]) continue;
        best = verdict.median_us[i];
        if (own) times.own = name;
    }
    return times;
}

void print_summary(const std::vector<LayerTimes>& all, double bytes_per_second, double large_bytes) {
    std::vector<double> ratios;
    std::vector<double> shares;
    for (const LayerTimes& times : all) {
        if (!times.own_us) continue;
        if (times.library_us) ratios.push_back(*times.library_us / *times.own_us);
        if (times.bytes > large_bytes)
            shares.push_back(times.bytes / (*times.own_us * 1e-6) / bytes_per_second);
    }
    if (!ratios.empty()) {
        const auto not_slower =
            std::count_if(ratios.begin(), ratios.end(), [](double r) { return r >= 1.0; });
        fmt::print(
            "cuDNN's time over ours: median {:.2f}, least {:.2f}; ours is not slower on {} of {} layers\n",
            quantile(ratios, 0.5), quantile(ratios, 0.0), not_slower, ratios.size());
    }
    if (!shares.empty()) {
        fmt::print(
            "share of the copy bandwidth on the {} layers larger than a quarter of the L2: median {:.2f}, "
            "least "
            "{:.2f} (wanted 0.80)\n",
            shares.size(), quantile(shares, 0.5), quantile(shares, 0.0));
    }
}

Options read_options(int argc, char** argv) {
    Options options;
    CLI::App parser("Times every depthwise layer of the zoo on a GPU, this project's kernels beside cuDNN's");
    parser.add_option("--device", options.device, "Device, as \"hacscale devices\" names it")
        ->capture_default_str();
    parser.add_option("--dtype", options.dtype, "Data type")->capture_default_str();
    parser.add_option("--batches", options.batches, "Images at once")->capture_default_str()->delimiter(',');
    parser.add_option("--out", options.out, "File for one line of JSON a layer");
    try {
        parser.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int status = parser.exit(error);
        std::exit(status == 0 ? 0 : static_cast<int>(ExitStatus::bad_input));
    }
    return options;
}

}  // namespace

int main(int argc, char** argv) try {
    const Options options = read_options(argc, argv);
    const cuda::DeviceTraits traits = cuda::cuda_device(options.device).traits;
    const DataType type = data_type_from_name(options.dtype);
    cuda::use_device(traits.index);
    const auto flush = cuda::make_flush_buffer(traits);
    const cuda::CopyBandwidth copy = cuda::measure_copy_bandwidth(traits);
    fmt::print("copy bandwidth: {:.0f} GB/s read plus written, by {}\n", copy.bytes_per_second / 1e9,
               copy.by);
    fmt::print("{:<46}{:>6}{:>11}{:>11}{:>8}{:>8}\n", "layer", "batch", "ours us", "cuDNN us", "ratio",
               "of copy");
    std::ofstream out;
    if (!options.out.empty()) {
        out.open(options.out);
        if (!out) throw WorkError("the file " + options.out + " cannot be written");
    }
    const auto cell = [](std::optional<double> us) {
        return us ? fmt::format("{:.2f}", *us) : std::string("-");
    };
    std::vector<LayerTimes> all;
    for (const int batch : options.batches) {
        for (const LayerSpec& layer : depthwise_layers()) {
            const LayerTimes times = time_candidates({layer, batch, type, traits}, flush);
            const bool both = times.own_us && times.library_us;
            fmt::print("{:<46}{:>6}{:>11}{:>11}{:>8}{:>8}\n", layer.key(), batch, cell(times.own_us),
                       cell(times.library_us),
                       both ? fmt::format("{:.2f}", *times.library_us / *times.own_us) : "-",
                       times.own_us
                           ? fmt::format("{:.2f}", times.bytes / *times.own_us * 1e6 / copy.bytes_per_second)
                           : "-");
            if (out.is_open()) {
                nlohmann::json line{{"layer", layer.key()},
                                    {"batch", batch},
                                    {"dtype", options.dtype},
                                    {"bytes", times.bytes},
                                    {"ours", times.own}};
                line["ours_us"] = times.own_us ? nlohmann::json(*times.own_us) : nullptr;
                line["cudnn_us"] = times.library_us ? nlohmann::json(*times.library_us) : nullptr;
                out << line.dump() << '\n';
            }
            all.push_back(times);
        }
    }
    print_summary(all, copy.bytes_per_second, static_cast<double>(traits.l2_bytes) / 4.0);
    return 0;
} catch (const Error& error) {
    std::cerr << "cuda_layers: " << error.what() << '\n';
    return static_cast<int>(error.status());
} catch (const std::exception& error) {
    std::cerr << "cuda_layers: " << error.what() << '\n';
    return static_cast<int>(ExitStatus::failed);
}
