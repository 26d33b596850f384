// The opener knows every kind of instruments, and no other source knows it; it is declared with their interface.
#include "profiler/instruments/instruments.hpp"

#ifdef HACSCALE_CUDA_FOUND
#include <charconv>
#include <string_view>

#include "profiler/instruments/cupti/cuda_instruments.hpp"
#endif

namespace hacscale {

#ifdef HACSCALE_CUDA_FOUND

std::unique_ptr<Instruments> open_instruments(const BackendDevice& device, const InstrumentOptions& options) {
    constexpr std::string_view prefix = "cuda:";
    const std::string_view id = device.id;
    if (!id.starts_with(prefix)) return nullptr;
    int ordinal = 0;
    const auto parsed = std::from_chars(id.data() + prefix.size(), id.data() + id.size(), ordinal);
    if (parsed.ec != std::errc() || parsed.ptr != id.data() + id.size()) return nullptr;
    return std::make_unique<CudaInstruments>(cupti::cupti(), driver::driver(), nvml::nvml(), ordinal,
                                             options);
}

#else

std::unique_ptr<Instruments> open_instruments(const BackendDevice&, const InstrumentOptions&) {
    return nullptr;
}

#endif

}  // namespace hacscale
