#include "profiler/timing/machine_state.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "models/graph/graph_values.hpp"
#include "profiler/timing/statistics.hpp"

namespace hacscale {
namespace {

constexpr double between_looks_us =
    20e3;  // a look takes a driver up to a millisecond, in which the device idles

}  // namespace

void ThrottleGuard::begin() {
    clocks_mhz_.clear();
    next_look_us_ = 0.0;
    slowed_ = capped_ = false;
    causes_.clear();
    if (instruments_ != nullptr) before_ = instruments_->state();
}

void ThrottleGuard::look(double clock_us) {
    if (instruments_ == nullptr || clock_us < next_look_us_) return;
    next_look_us_ = clock_us + between_looks_us;
    if (const std::optional<double> mhz = instruments_->sm_clock_mhz()) clocks_mhz_.push_back(*mhz);
}

void ThrottleGuard::end() {
    if (instruments_ == nullptr) return;
    after_ = instruments_->state();
    for (const DeviceState* moment : {&before_, &after_}) {
        slowed_ = slowed_ || moment->throttled;
        capped_ = capped_ || moment->power_capped;
        if (moment->throttled || moment->power_capped) add_cause(moment->throttle_reasons);
    }
    for (const HeldDown& now : after_.held_down) {
        const auto then =
            std::find_if(before_.held_down.begin(), before_.held_down.end(),
                         [&now](const HeldDown& earlier) { return earlier.cause == now.cause; });
        if (then == before_.held_down.end()) continue;
        if (now.us - then->us <= min_share * (after_.at_us - before_.at_us)) continue;
        (now.power_cap ? capped_ : slowed_) = true;
        add_cause(now.cause);
    }
}

void ThrottleGuard::add_cause(const std::string& cause) {
    if (causes_.find(cause) != std::string::npos) return;
    causes_ += (causes_.empty() ? "" : ", ") + cause;
}

// Where the clock was not seen, it may have.
bool ThrottleGuard::clock_varied() const {
    if (clocks_mhz_.size() < 2) return true;
    const double fast = quantile(clocks_mhz_, 0.95);
    return fast - quantile(clocks_mhz_, 0.05) > clock_tolerance * fast;
}

std::string ThrottleGuard::reason() const {
    if (!throttled()) return {};
    std::string text = "the device held its clocks down while this was measured: " + causes_;
    if (clocks_mhz_.size() >= 2) {
        text += fmt::format("; its clock was {:.0f} to {:.0f} MHz", quantile(clocks_mhz_, 0.05),
                            quantile(clocks_mhz_, 0.95));
    }
    return text;
}

DeviceState ThrottleGuard::state() const {
    DeviceState state = after_;
    state.throttled = throttled();
    if (!causes_.empty()) state.throttle_reasons = causes_;
    return state;
}

void spin_up(NetworkRunner& runner, double seconds, const std::function<bool()>& keep_going) {
    const double until_us = runner.clock_us() + seconds * 1e6;
    while (runner.clock_us() < until_us && keep_going()) runner.run();
}

void pause(double seconds, const std::function<bool()>& keep_going) {
    constexpr double step_us = 50e3;
    const double until = now_us() + seconds * 1e6;
    for (double left = seconds * 1e6; left > 0.0 && keep_going(); left = until - now_us()) {
        std::this_thread::sleep_for(std::chrono::duration<double, std::micro>(std::min(left, step_us)));
    }
}

namespace {

constexpr double burst_us = 20e3;  // between two looks at the counter; a look takes a driver less
constexpr int max_runs_in_burst = 10'000;

// The counter as it was seen to move, and what had been done until then.
struct Step {
    double energy_mj = 0.0;
    double at_us = 0.0;
    double busy_us = 0.0;
    std::int64_t runs = 0;
};

EnergyReading reading_between(const Step& first, const Step& last) {
    EnergyReading reading;
    reading.duty = (last.busy_us - first.busy_us) / (last.at_us - first.at_us);
    const double used_mj = last.energy_mj - first.energy_mj;
    if (used_mj <= 0.0) {
        reading.reason = "the device's energy counter runs backwards";
    } else if (reading.duty < min_duty) {
        reading.reason = fmt::format(
            "the device computed only {:.1f} % of the time in which its energy was "
            "counted, at least {:.0f} % are wanted; end what else keeps this machine busy",
            100.0 * reading.duty, 100.0 * min_duty);
    } else {
        reading.inference_mj = used_mj / static_cast<double>(last.runs - first.runs);
    }
    return reading;
}

}  // namespace

EnergyReading measure_energy(Instruments& instruments, NetworkRunner& runner, double seconds,
                             const std::function<bool()>& keep_going) {
    const EnergyCounter counter = instruments.energy();
    if (!counter.mj) {
        return {{}, counter.reason.empty() ? "the device has no energy counter" : counter.reason};
    }
    const double once_us = std::max(runner.time_runs(1), 0.1);
    const int burst = std::clamp(static_cast<int>(burst_us / once_us), 1, max_runs_in_burst);

    std::optional<Step> first;  // the one that counting began at
    Step now{*counter.mj, runner.clock_us()};
    const double begin_us = now.at_us;
    while (keep_going()) {
        runner.start_runs(burst);
        const double energy_mj = instruments.energy().mj.value_or(now.energy_mj);
        now.at_us = runner.clock_us();
        const double burst_took_us = runner.finish_runs(burst);
        // A step may be longer than `seconds`, so the second one has that long again to come.
        const double max_us = (first ? 3.0 : 1.0) * seconds * 1e6;
        if (energy_mj != now.energy_mj) {
            now.energy_mj = energy_mj;
            if (first && now.at_us - first->at_us >= seconds * 1e6) return reading_between(*first, now);
            if (!first) first = now;
        } else if (now.at_us - begin_us > max_us) {
            return {{}, "the device's energy counter does not move"};
        }
        now.busy_us += burst_took_us;
        now.runs += burst;
    }
    return {{}, "interrupted before it was measured"};
}

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

double SpeedHistory::fastest_us() const {
    constexpr std::size_t one_in = 20;
    const double read = readings_us_.empty() ? std::numeric_limits<double>::infinity()
                                             : readings_us_[(readings_us_.size() - 1) / one_in];
    return std::min({read, sustained_us_, expected_us_, fastest_measured_us.value_or(read)});
}

void SpeedHistory::add_reading(double us) {
    readings_us_.insert(std::upper_bound(readings_us_.begin(), readings_us_.end(), us), us);
    latest_us_.push_back(us);
    if (latest_us_.size() > readings_in_row) latest_us_.erase(latest_us_.begin());
    if (latest_us_.size() == readings_in_row) {
        sustained_us_ = std::min(sustained_us_, quantile(latest_us_, 0.5));
    }
}

MachineSpeed::MachineSpeed(const DeviceHandle& device, DataType type, SpeedHistory& history)
    : history_(history) {
    const Graph network = reference_network();
    Compiled compiled = device.backend->compile(device.device.id, network, {1, type, 0});
    if (!compiled.runner) {
        throw WorkError("the reference network cannot run on " + device.device.id + ": " + compiled.reason);
    }
    runner_ = std::move(compiled.runner);
    runner_->load(random_weights(network, 1));
    set_inputs(*runner_, random_inputs(network, 1, 2));
}

double MachineSpeed::now() {
    runner_->run();  // the caches hold another network's data
    std::array<double, 5> samples{};
    for (double& sample : samples) sample = runner_->time_runs(1);
    std::nth_element(samples.begin(), samples.begin() + samples.size() / 2, samples.end());
    last_us_ = samples[samples.size() / 2];
    history_.add_reading(last_us_);
    return last_us_;
}

void MachineSpeed::now_in_row() {
    for (std::size_t reading = 0; reading < SpeedHistory::readings_in_row / 2 + 1; ++reading) now();
}

}  // namespace hacscale
