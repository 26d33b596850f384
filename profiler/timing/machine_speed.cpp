#include "profiler/timing/machine_speed.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/error.hpp"
#include "models/graph/graph_values.hpp"

namespace hacscale {
namespace {

LayerSpec reference_conv(int in_channels, int out_channels, int pixels, int kernel, int stride, int groups) {
    LayerSpec layer;
    layer.in_channels = in_channels;
    layer.out_channels = out_channels;
    layer.in_height = layer.in_width = pixels;
    layer.window = Window::square(kernel, stride, kernel / 2);
    layer.groups = groups;
    return layer;
}

// An inverted residual block with little arithmetic, whose tensors pass from core to core, then convs that
// compute.
Graph reference_network() {
    const std::vector<LayerSpec> layers{
        reference_conv(8, 48, 56, 1, 1, 1),  reference_conv(48, 48, 56, 3, 1, 48),
        reference_conv(48, 8, 56, 1, 1, 1),  reference_conv(8, 32, 56, 3, 2, 1),
        reference_conv(32, 32, 28, 3, 1, 1),
    };
    Graph network;
    TensorId here =
        network.add_input(layers.front().in_channels, layers.front().in_height, layers.front().in_width);
    for (const LayerSpec& layer : layers) {
        Node node;
        node.layer = layer;
        node.name = "reference";
        node.inputs = {here};
        here = network.add_node(std::move(node));
    }
    network.outputs = {here};
    return network;
}

}  // namespace

double PaceHistory::fastest_us() const {
    constexpr std::size_t one_in = 20;
    const double read = readings_us_.empty() ? std::numeric_limits<double>::infinity()
                                             : readings_us_[(readings_us_.size() - 1) / one_in];
    return std::min({read, expected_us_, fastest_measured_us.value_or(read)});
}

void PaceHistory::add_reading(double us) {
    readings_us_.insert(std::upper_bound(readings_us_.begin(), readings_us_.end(), us), us);
}

Pace::Pace(const DeviceHandle& device, DataType type, PaceHistory& history) : history_(history) {
    const Graph network = reference_network();
    Compiled compiled = device.backend->compile(device.device.id, network, {1, type, 0});
    if (!compiled.runner) {
        throw WorkError("the reference network cannot run on " + device.device.id + ": " + compiled.reason);
    }
    runner_ = std::move(compiled.runner);
    runner_->load(random_weights(network, 1));
    set_inputs(*runner_, random_inputs(network, 1, 2));
}

double Pace::now() {
    runner_->run();  // the caches hold another network's data
    std::array<double, 5> samples{};
    for (double& sample : samples) sample = runner_->time_runs(1);
    std::nth_element(samples.begin(), samples.begin() + samples.size() / 2, samples.end());
    last_us_ = samples[samples.size() / 2];
    history_.add_reading(last_us_);
    return last_us_;
}

}  // namespace hacscale
