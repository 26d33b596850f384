// A libnvidia-ml.so.1 that knows two GPUs: on bus 3B an idle one, on bus 3C one with more processes than a first look
// has room for.
#include <unistd.h>

#include <cstring>

namespace {

struct Memory {
    unsigned version;
    unsigned long long total, reserved, free, used;
};
struct Process {
    unsigned pid;
    unsigned long long used_bytes;
    unsigned gpu_instance, compute_instance;
};

constexpr unsigned many = 100;
int idle = 0;
int busy = 0;

}  // namespace

extern "C" {

int nvmlInit_v2() {
    return 0;
}

const char* nvmlErrorString(int) {
    return "Not Found";
}

int nvmlDeviceGetHandleByPciBusId_v2(const char* bus_id, void** device) {
    const bool is_idle = std::strcmp(bus_id, "00000000:3b:00.0") == 0;
    if (!is_idle && std::strcmp(bus_id, "00000000:3c:00.0") != 0) return 6;
    *device = is_idle ? &idle : &busy;
    return 0;
}

int nvmlDeviceGetMemoryInfo_v2(void* device, Memory* memory) {
    if (memory->version != (sizeof(Memory) | (2U << 24U))) return 25;
    memory->used = device == &idle ? 4096 : 1ULL << 34U;
    return 0;
}

// This process is on the idle one.
int nvmlDeviceGetComputeRunningProcesses_v3(void* device, unsigned* count, Process* processes) {
    const unsigned room = *count;
    *count = device == &idle ? 1 : many;
    if (room < *count) return 7;
    for (unsigned i = 0; i < *count; ++i) processes[i].pid = 1000000 + i;
    if (device == &idle) processes[0].pid = static_cast<unsigned>(getpid());
    return 0;
}
}
