// How fast are the ways to run each depthwise layer of the zoo on a GPU: this project's kernels (strips on the units
// of scalar arithmetic, tensor on matrix units) against cuDNN's, and against a copy of the same bytes under the same
// timer. Each run has cold caches, and the candidates of a layer take turns, so one process compares variants.
// usage: cuda_layers [--device cuda:N] [--dtype TYPE] [--batches 1,64] [--kernels strips,tensor,cudnn] [--out FILE]
// FILE gets one line of JSON a layer, for bench/peers/compare_depthwise.py.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.hpp"
#include "bench/measuring_program.hpp"
#include "kernels/cuda/candidate_timing.hpp"
#include "kernels/cuda/cuda_device.hpp"
#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device_memory.hpp"
#include "kernels/cuda/host_tensor.hpp"
#include "models/ops/layer_spec.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "profiler/timing/statistics.hpp"

using namespace hacscale;

namespace {

struct Options : bench::LayerOptions {
    std::vector<std::string> kernels{"strips", "tensor", "cudnn"};
};

using Time = std::optional<double>;

struct LayerTimes {
    LayerSpec layer;
    int batch = 1;
    Time strips_us, tensor_us, library_us;  // the fastest of each kind
    Time own_us;                            // the fastest of this project's
    std::string own;                        // what it is called
    Time copy_us;                           // of as many bytes read and written
    double bytes = 0.0;
};

// Reads as many bytes as the layer's input has and writes as many as its output.
class CopyOfBytes final : public cuda::CudaLayer {
public:
    explicit CopyOfBytes(const cuda::LayerContext& context)
        : read_(cuda::input_shape(context.layer, context.batch).bytes(context.type)),
          written_(cuda::output_shape(context.layer, context.batch).bytes(context.type)) {}
    std::string implementation() const override { return "copy"; }
    std::size_t weight_bytes() const override { return 0; }
    void pack_weights(const LayerWeights&, std::span<std::byte>) const override {}
    void launch(const cuda::LayerBuffers& buffers, cudaStream_t stream) override {
        cuda::launch_read_and_write(buffers.input, read_, buffers.output, written_, stream);
    }

private:
    std::size_t read_;
    std::size_t written_;
};

std::set<LayerSpec> depthwise_layers() {
    std::set<LayerSpec> layers;
    for (const std::string& name : zoo_names()) {
        for (const Node& node : lower(find_model(name)).nodes) {
            if (node.layer.depthwise()) layers.insert(node.layer);
        }
    }
    return layers;
}

std::string kind_of(const std::string& implementation) {
    if (!implementation.starts_with("hacscale")) return "cudnn";
    return implementation.find(" tensor") != std::string::npos ? "tensor" : "strips";
}

void take_if_faster(Time& best, double us) {
    if (!best || us < *best) best = us;
}

LayerTimes time_candidates(const cuda::LayerContext& context, const std::vector<std::string>& kernels,
                           const std::shared_ptr<const cuda::DeviceBuffer>& flush) {
    LayerTimes times;
    times.layer = context.layer;
    times.batch = context.batch;
    times.bytes = static_cast<double>(cost_of(context.layer, context.batch, context.type).bytes);
    cuda::LayerList candidates = cuda::layer_candidates(context);
    std::erase_if(candidates, [&](const auto& candidate) {
        return std::ranges::find(kernels, kind_of(candidate->implementation())) == kernels.end();
    });
    if (!candidates.empty()) {
        const cuda::Verdict verdict =
            cuda::fastest(candidates.size(), cuda::make_candidate_timer(context, candidates, flush));
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            if (!verdict.failures[i].empty()) continue;
            const std::string name = candidates[i]->implementation();
            const std::string kind = kind_of(name);
            const double us = verdict.median_us[i];
            take_if_faster(kind == "cudnn"    ? times.library_us
                           : kind == "tensor" ? times.tensor_us
                                              : times.strips_us,
                           us);
            if (kind != "cudnn" && (!times.own_us || us < *times.own_us)) {
                times.own_us = us;
                times.own = name;
            }
        }
    }
    // By itself: kernels that take twice as long would be dropped beside it.
    cuda::LayerList copy;
    copy.push_back(std::make_unique<CopyOfBytes>(context));
    times.copy_us = cuda::fastest(1, cuda::make_candidate_timer(context, copy, flush)).median_us[0];
    return times;
}

std::string cell(Time us) {
    return us ? fmt::format("{:.2f}", *us) : std::string("-");
}
std::string ratio(Time a, Time b) {
    return a && b ? fmt::format("{:.2f}", *a / *b) : std::string("-");
}

void print_row(const LayerTimes& times) {
    fmt::print("{:<46}{:>6}{:>11}{:>11}{:>11}{:>11}{:>8}{:>8}\n", times.layer.key(), times.batch,
               cell(times.strips_us), cell(times.tensor_us), cell(times.library_us), cell(times.copy_us),
               ratio(times.library_us, times.own_us), ratio(times.copy_us, times.own_us));
}

nlohmann::json line_of(const LayerTimes& times, const std::string& dtype) {
    const auto value = [](Time us) { return us ? nlohmann::json(*us) : nlohmann::json(nullptr); };
    return {{"layer", times.layer.key()},
            {"batch", times.batch},
            {"dtype", dtype},
            {"bytes", times.bytes},
            {"ours", times.own},
            {"ours_us", value(times.own_us)},
            {"strips_us", value(times.strips_us)},
            {"tensor_us", value(times.tensor_us)},
            {"cudnn_us", value(times.library_us)},
            {"copy_us", value(times.copy_us)}};
}

// Least squares of us = fixed + bytes / rate.
struct Line {
    double fixed_us = 0.0;
    double bytes_per_second = 0.0;
};
Line line_through(const std::vector<std::pair<double, double>>& bytes_and_us) {
    double mean_bytes = 0.0;
    double mean_us = 0.0;
    const auto count = static_cast<double>(bytes_and_us.size());
    for (const auto& [bytes, us] : bytes_and_us) {
        mean_bytes += bytes / count;
        mean_us += us / count;
    }
    double both = 0.0;
    double squares = 0.0;
    for (const auto& [bytes, us] : bytes_and_us) {
        both += (bytes - mean_bytes) * (us - mean_us);
        squares += (bytes - mean_bytes) * (bytes - mean_bytes);
    }
    if (squares == 0.0 || both == 0.0) return {};
    return {mean_us - both / squares * mean_bytes, squares / both * 1e6};
}

// Layers larger than a quarter of the L2, kind by kind and variant by variant.
void print_large_layers(const std::vector<LayerTimes>& all, double bytes_per_second, double large_bytes) {
    struct Group {
        std::vector<double> of_copy, of_bandwidth;
        std::vector<std::pair<double, double>> bytes_and_us;
    };
    std::map<std::string, Group> groups;
    for (const LayerTimes& times : all) {
        if (times.bytes <= large_bytes) continue;
        const std::string kind = fmt::format("{0}x{0} s{1}", times.layer.kernel(), times.layer.stride());
        for (const auto& [variant, us] :
             {std::pair{"strips", times.strips_us}, {"tensor", times.tensor_us}}) {
            if (!us) continue;
            Group& group = groups[kind + " " + variant];
            group.of_copy.push_back(*times.copy_us / *us);
            group.of_bandwidth.push_back(times.bytes / (*us * 1e-6) / bytes_per_second);
            group.bytes_and_us.emplace_back(times.bytes, *us);
        }
    }
    fmt::print(
        "\nlayers larger than a quarter of the L2; a copy of the same bytes over the kernel (wanted: 0.80), "
        "share of the copy bandwidth,\nand the line through time over bytes\n");
    fmt::print("{:<20}{:>8}{:>10}{:>8}{:>12}{:>10}{:>10}\n", "kernel", "layers", "of copy", "least",
               "of bandwidth", "GB/s", "fixed us");
    for (const auto& [name, group] : groups) {
        const Line line = line_through(group.bytes_and_us);
        fmt::print("{:<20}{:>8}{:>10.2f}{:>8.2f}{:>12.2f}{:>10.0f}{:>10.1f}\n", name, group.of_copy.size(),
                   quantile(group.of_copy, 0.5), quantile(group.of_copy, 0.0),
                   quantile(group.of_bandwidth, 0.5), line.bytes_per_second / 1e9, line.fixed_us);
    }
}

void print_ratio(const std::vector<LayerTimes>& all, const char* what, Time LayerTimes::*over,
                 Time LayerTimes::*under) {
    std::vector<double> ratios;
    for (const LayerTimes& times : all) {
        if (times.*over && times.*under) ratios.push_back(*(times.*over) / *(times.*under));
    }
    if (ratios.empty()) return;
    const auto not_slower = std::ranges::count_if(ratios, [](double r) { return r >= 1.0; });
    fmt::print("{}: median {:.2f}, least {:.2f}; at least 1 on {} of {} layers\n", what,
               quantile(ratios, 0.5), quantile(ratios, 0.0), not_slower, ratios.size());
}

Options read_options(int argc, char** argv) {
    Options options;
    CLI::App parser("Times every depthwise layer of the zoo on a GPU, this project's kernels beside cuDNN's");
    bench::declare(parser, options, "layer");
    parser
        .add_option("--kernels", options.kernels,
                    "Which kernels: strips, tensor (both are this project's), cudnn")
        ->capture_default_str()
        ->delimiter(',')
        ->check(CLI::IsMember({"strips", "tensor", "cudnn"}));
    bench::parse_or_exit(parser, argc, argv);
    return options;
}

void measure(const Options& options) {
    const cuda::DeviceTraits traits = cuda::cuda_device(options.device).traits;
    const DataType type = data_type_from_name(options.dtype);
    cuda::use_device(traits.index);
    const auto flush = cuda::make_flush_buffer(traits);
    const cuda::CopyBandwidth copy = cuda::measure_copy_bandwidth(traits);
    fmt::print("copy bandwidth: {:.0f} GB/s read plus written, by {}\n", copy.bytes_per_second / 1e9,
               copy.by);
    fmt::print("{:<46}{:>6}{:>11}{:>11}{:>11}{:>11}{:>8}{:>8}\n", "layer", "batch", "strips us", "tensor us",
               "cuDNN us", "copy us", "ratio", "of copy");
    std::ofstream out = bench::open_lines(options.out);
    std::vector<LayerTimes> all;
    for (const int batch : options.batches) {
        for (const LayerSpec& layer : depthwise_layers()) {
            all.push_back(time_candidates({layer, batch, type, traits}, options.kernels, flush));
            print_row(all.back());
            if (out.is_open()) out << line_of(all.back(), options.dtype).dump() << '\n';
        }
    }
    print_ratio(all, "cuDNN's time over ours", &LayerTimes::library_us, &LayerTimes::own_us);
    print_ratio(all, "time of strips over tensor", &LayerTimes::strips_us, &LayerTimes::tensor_us);
    print_large_layers(all, copy.bytes_per_second, static_cast<double>(traits.l2_bytes) / 4.0);
}

}  // namespace

int main(int argc, char** argv) {
    return bench::exit_status_of("cuda_layers", [&] { measure(read_options(argc, argv)); });
}
