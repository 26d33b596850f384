#include "base/nominal_ceilings.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace hacscale {

namespace {

// FLOP per clock and multiprocessor, dense, a fused multiply-add counted as two; sums in f32, as the backend
// computes. 0: the unit is not there. Sources: NVIDIA's architecture white papers (V100, Turing, GA100,
// GA102, Ada, H100, Blackwell), the CUDA C++ Programming Guide ("Arithmetic Instructions") for f32.
struct Architecture {
    std::string_view compute_capability;
    double f32;
    double tf32;
    double half;          // f16, and bf16 where there is TF32
    double half_geforce;  // GeForce cards sum in f32 at half the rate from Turing on
};

constexpr std::array<Architecture, 9> architectures{{
    {"7.0", 128, 0, 1024, 1024},      // V100: 15.7 and 125 TFLOP/s
    {"7.5", 128, 0, 1024, 512},       // T4: 8.1 and 65
    {"8.0", 128, 1024, 2048, 2048},   // A100: 19.5, 156 and 312
    {"8.6", 256, 512, 1024, 512},     // A40: 37.4, 74.8 and 150; RTX 3090: 35.6, 71 in f16
    {"8.7", 256, 1024, 2048, 2048},   // Orin: 5.3 in f32
    {"8.9", 256, 512, 1024, 512},     // L40S: 91.6, 183 and 362; RTX 4090: 82.6, 165 in f16
    {"9.0", 256, 2048, 4096, 4096},   // H100, H200: 67, 494 and 989 (the latter two at 1830 MHz)
    {"10.0", 256, 4096, 8192, 8192},  // B200: 75 to 80, 1,125 and 2,250
    {"12.0", 256, 512, 1024, 512},    // RTX PRO 6000: 125, 252 and 504; RTX 5090: 105, 210 in f16
}};

std::optional<double> number_of(const std::string& text) {
    double value = 0.0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return whole && value > 0.0 ? std::optional(value) : std::nullopt;
}

double flop_per_clock(const Architecture& architecture, bool geforce, std::string_view dtype) {
    if (dtype == "f32") return architecture.f32;
    // The tensor units' rates keep their proportions on GeForce cards.
    const double half = geforce ? architecture.half_geforce : architecture.half;
    if (dtype == "f16") return half;
    if (architecture.tf32 == 0.0) return 0.0;
    if (dtype == "bf16") return half;
    return dtype == "tf32" ? half * architecture.tf32 / architecture.half : 0.0;
}

}  // namespace

NominalCeilings nominal_ceilings(const std::function<std::string(std::string_view)>& property,
                                 std::string_view dtype) {
    NominalCeilings ceilings;
    const auto found = std::find_if(architectures.begin(), architectures.end(), [&](const Architecture& one) {
        return one.compute_capability == property("compute_capability");
    });
    const std::optional<double> multiprocessors = number_of(property("multiprocessors"));
    const std::optional<double> clock_mhz = number_of(property("clock_mhz"));
    if (found != architectures.end() && multiprocessors && clock_mhz) {
        const bool geforce = property("gpu").find("GeForce") != std::string::npos;
        const double flop = flop_per_clock(*found, geforce, dtype);
        if (flop > 0.0) ceilings.flops_per_s = *multiprocessors * flop * *clock_mhz * 1e6;
    }
    const std::optional<double> memory_clock_mhz = number_of(property("memory_clock_mhz"));
    const std::optional<double> bus_bits = number_of(property("memory_bus_bits"));
    constexpr double transfers_per_clock = 2.0;  // the driver's clock is that of double data rate
    if (memory_clock_mhz && bus_bits) {
        ceilings.bytes_per_s = *memory_clock_mhz * 1e6 * transfers_per_clock * *bus_bits / 8.0;
    }
    return ceilings;
}

}  // namespace hacscale
