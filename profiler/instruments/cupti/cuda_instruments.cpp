#include "profiler/instruments/cupti/cuda_instruments.hpp"

#include <spdlog/spdlog.h>

#include <span>

#include "base/error.hpp"
#include "kernels/cuda/cupti/activity_trace.hpp"
#include "kernels/cuda/cupti/cupti_library.hpp"
#include "profiler/instruments/cupti/range_profiler.hpp"

namespace hacscale {
namespace {

// Kernel times are medians over this many runs of the network, behind one that is not recorded.
constexpr std::size_t traced_runs = 5;

// Takes CUPTI out of the process when an inspection ends, also when it breaks off: what is timed next would
// be slower with it. It stays where the device can no longer finish its work, since nothing is timed there.
class CuptiVisit {
public:
    CuptiVisit(const cupti::CuptiLibrary& cupti, NetworkRunner& runner) : cupti_(cupti), runner_(runner) {}
    ~CuptiVisit() {
        if (!cupti_.usable()) return;
        try {
            runner_.wait();
        } catch (const std::exception& error) {
            spdlog::debug("CUPTI stays attached, since the device's work cannot be waited for: {}",
                          error.what());
            return;
        }
        cupti::detach(cupti_);
    }
    CuptiVisit(const CuptiVisit&) = delete;
    CuptiVisit& operator=(const CuptiVisit&) = delete;

private:
    const cupti::CuptiLibrary& cupti_;
    NetworkRunner& runner_;
};

void run_layer(NetworkRunner& runner, int layer) {
    runner.start_layer(layer);
    runner.wait();
}

void no_kernels(const std::string& reason, std::span<LayerReadings> readings) {
    for (LayerReadings& layer : readings) {
        if (!layer.kernel_time_us) layer.reasons.try_emplace("kernel_time_us", reason);
        if (!layer.occupancy_theoretical) layer.reasons.try_emplace("occupancy_theoretical", reason);
        if (!layer.occupancy_grid_limited) layer.reasons.try_emplace("occupancy_grid_limited", reason);
    }
}

void add_kernel_time(LayerReadings& layer) {
    double time_us = 0.0;
    for (const KernelLaunch& kernel : layer.kernels) {
        if (kernel.duration_us <= 0.0) {
            layer.reasons["kernel_time_us"] = "CUPTI gave no time for " + kernel.name;
            return;
        }
        time_us += kernel.duration_us;
    }
    if (layer.kernels.empty()) {
        layer.reasons["kernel_time_us"] = "no kernel of this layer was recorded";
    } else {
        layer.kernel_time_us = time_us;
    }
}

}  // namespace

CudaInstruments::CudaInstruments(const cupti::CuptiLibrary& cupti, const driver::DriverLibrary& driver,
                                 const nvml::NvmlLibrary& nvml, int ordinal, const InstrumentOptions& options)
    : options_(options), cupti_(cupti), driver_(driver), device_(driver::device_facts(driver, ordinal)) {
    if (!device_.facts) return;
    nvml_ = std::make_unique<nvml::NvmlDevice>(nvml, device_.facts->pci_bus_id, device_.facts->uuid);
}

void CudaInstruments::trace_kernels(NetworkRunner& runner, std::vector<LayerReadings>& readings) {
    if (!cupti_.usable()) return no_kernels(cupti_.reason, readings);
    const std::size_t layers = readings.size();
    try {
        cupti::ActivityTrace trace(cupti_);
        trace.start();
        for (std::size_t id = 0; id < traced_runs * layers; ++id) {
            trace.record(id, [&] { run_layer(runner, static_cast<int>(id % layers)); });
        }
        trace.stop();
        const cupti::Attribution attribution = trace.kernels(traced_runs * layers);
        if (attribution.unclaimed > 0) {
            spdlog::warn("{} kernels were launched meanwhile that belong to no layer", attribution.unclaimed);
        }
        if (attribution.unreadable_buffers > 0) {
            spdlog::warn("{} holds records of a kind that it does not know; kernels may be missing",
                         cupti_.path);
        }
        for (std::size_t layer = 0; layer < layers; ++layer) {
            std::vector<std::vector<KernelLaunch>> runs;
            for (std::size_t run = 0; run < traced_runs; ++run) {
                runs.push_back(attribution.kernels[run * layers + layer]);
            }
            readings[layer].kernels = cupti::median_launches(runs);
            add_kernel_time(readings[layer]);
            fill_occupancies(readings[layer], device_.facts->limits);
        }
    } catch (const cupti::CuptiFailure& failure) {
        no_kernels(failure.what(), readings);
    }
}

std::vector<LayerReadings> CudaInstruments::inspect(NetworkRunner& runner, const Graph& network) {
    std::vector<LayerReadings> readings(network.nodes.size());
    if (readings.empty()) return readings;
    const auto nothing = [&](const std::string& reason) {
        no_kernels(reason, readings);
        cupti::no_counters(options_, reason, readings);
    };
    if (!device_.facts) {
        nothing(device_.reason);
        return readings;
    }
    const driver::PrimaryContext context(driver_, device_.facts->device);
    if (context.get() == nullptr) {
        nothing(context.reason());
        return readings;
    }
    try {
        const CuptiVisit visit(cupti_, runner);
        for (std::size_t layer = 0; layer < readings.size(); ++layer) {
            run_layer(runner, static_cast<int>(layer));
        }
        trace_kernels(runner, readings);
        cupti::read_counters(
            cupti_, context.get(), device_.facts->device, options_,
            [&](int layer) { run_layer(runner, layer); }, readings);
    } catch (const DeviceLost&) {
        throw;
    } catch (const std::exception& error) {
        nothing(std::string("running the layers for the instruments failed: ") + error.what());
    }
    return readings;
}

DeviceState CudaInstruments::state() {
    return nvml_ ? nvml_->state() : nvml::unknown_state(device_.reason);
}

EnergyCounter CudaInstruments::energy() {
    return nvml_ ? nvml_->energy() : EnergyCounter{{}, device_.reason};
}

std::optional<double> CudaInstruments::sm_clock_mhz() {
    return nvml_ ? nvml_->sm_clock_mhz() : std::nullopt;
}

std::int64_t CudaInstruments::dropped_records() const {
    return cupti::dropped_activity_records();
}

}  // namespace hacscale
