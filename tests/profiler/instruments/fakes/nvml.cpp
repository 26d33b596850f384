// A libnvidia-ml.so.1 that knows one GPU, on bus 3B, and says what the test wants to hear: FAKE_NVML holds
// words that turn things off, FAKE_NVML_EVENTS the bits of the clock event reasons.
#include <cstdlib>
#include <cstring>

namespace {

constexpr int not_supported = 3;
constexpr int not_found = 6;
constexpr int driver_not_loaded = 9;

int gpu = 0;

bool told(const char* word) {
    const char* words = std::getenv("FAKE_NVML");
    return words != nullptr && std::strstr(words, word) != nullptr;
}

}  // namespace

extern "C" {

int nvmlInit_v2() {
    return told("no_driver") ? driver_not_loaded : 0;
}

const char* nvmlErrorString(int result) {
    return result == not_supported ? "Not Supported"
           : result == not_found   ? "Not Found"
                                   : "Driver Not Loaded";
}

int nvmlDeviceGetHandleByPciBusId_v2(const char* bus_id, void** device) {
    if (std::strcmp(bus_id, "0000:3B:00.0") != 0) return not_found;
    *device = &gpu;
    return 0;
}

int nvmlDeviceGetHandleByUUID(const char* uuid, void** device) {
    if (std::strcmp(uuid, "GPU-00010203-0405-0607-0809-0a0b0c0d0e0f") != 0) return not_found;
    *device = &gpu;
    return 0;
}

int nvmlDeviceGetClockInfo(void*, int clock, unsigned* mhz) {
    *mhz = clock == 1 ? 1755 : clock == 2 ? 2619 : 0;
    return 0;
}

int nvmlDeviceGetTemperature(void*, int, unsigned* celsius) {
    *celsius = 61;
    return 0;
}

int nvmlDeviceGetPowerUsage(void*, unsigned* milliwatts) {
    *milliwatts = 312500;
    return 0;
}

int nvmlDeviceGetTotalEnergyConsumption(void*, unsigned long long* millijoules) {
    if (told("no_energy")) return not_supported;
    *millijoules = 1234567890123ULL;
    return 0;
}

// The name in drivers before 535.
int nvmlDeviceGetCurrentClocksThrottleReasons(void*, unsigned long long* reasons) {
    const char* bits = std::getenv("FAKE_NVML_EVENTS");
    *reasons = bits == nullptr ? 0 : std::strtoull(bits, nullptr, 16);
    return 0;
}

struct ViolationTime {
    unsigned long long reference_us;
    unsigned long long violation_ns;
};

// Power and heat only, as many GPUs do.
int nvmlDeviceGetViolationStatus(void*, int policy, ViolationTime* time) {
    if (policy > 1) return not_supported;
    *time = {1, policy == 0 ? 2'000'000ULL : 3'000'000ULL};
    return 0;
}

int nvmlDeviceGetMigMode(void*, unsigned* current, unsigned* pending) {
    *current = *pending = told("mig") ? 1 : 0;
    return 0;
}
}
