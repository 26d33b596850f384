// The instruments of an NVIDIA GPU: kernel records and counters from CUPTI, occupancies from the kernels'
// resources, the device's state from NVML. Each may be missing without the others; what is missing is told in
// the reasons of its columns.
#pragma once

#include <memory>
#include <string>

#include "kernels/cuda/cupti/cupti_library.hpp"
#include "profiler/instruments/driver/driver.hpp"
#include "profiler/instruments/instruments.hpp"
#include "profiler/instruments/nvml/nvml_device.hpp"

namespace hacscale {

class CudaInstruments final : public Instruments {
public:
    // ordinal: N of cuda:N. Opens no context yet. The libraries have to outlive the instruments.
    CudaInstruments(const cupti::CuptiLibrary& cupti, const driver::DriverLibrary& driver,
                    const nvml::NvmlLibrary& nvml, int ordinal, const InstrumentOptions& options);

    // Call it in the thread that made the runner, and not between runs that are timed.
    std::vector<LayerReadings> inspect(NetworkRunner& runner, const Graph& network) override;
    DeviceState state() override;
    EnergyCounter energy() override;
    std::optional<double> sm_clock_mhz() override;
    std::int64_t dropped_records() const override;

private:
    void trace_kernels(NetworkRunner& runner, std::vector<LayerReadings>& readings);

    InstrumentOptions options_;
    const cupti::CuptiLibrary& cupti_;
    const driver::DriverLibrary& driver_;
    driver::DeviceFactsResult device_;
    std::unique_ptr<nvml::NvmlDevice> nvml_;  // null when the driver does not know the device
};

}  // namespace hacscale
