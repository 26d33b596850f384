#include "kernels/cuda/copy_bandwidth.hpp"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "kernels/cuda/cuda_error.hpp"
#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device_memory.hpp"
#include "kernels/cuda/median.hpp"
#include "kernels/cuda/stream.hpp"

namespace hacscale::cuda {
namespace {

constexpr int warm_up_copies = 3;
constexpr int timed_copies = 15;
// Long against what begins and ends a kernel, and so large that what of it stays in the L2 does not count.
constexpr std::size_t wanted_bytes = std::size_t{2} << 30;
// A read of so much takes longer than the host needs to enqueue what comes after.
constexpr std::size_t front_bytes = std::size_t{128} << 20;

// Behind other work, so that the device does not wait for the host between the events.
double median_us(const Stream& stream, const DeviceBuffer& front, const std::function<void()>& copy) {
    const Event begin;
    const Event end;
    std::vector<double> times;
    for (int i = 0; i < warm_up_copies + timed_copies; ++i) {
        launch_touch(front.data(), front.size(), stream.get());
        begin.record(stream);
        copy();
        end.record(stream);
        stream.synchronize("copying to measure bandwidth");
        if (i >= warm_up_copies) times.push_back(elapsed_us(begin, end));
    }
    return median(std::move(times));
}

}  // namespace

CopyBandwidth measure_copy_bandwidth(const DeviceTraits& device) {
    use_device(device.index);
    const std::size_t most = free_device_bytes() / 4;
    const std::size_t bytes = std::min(std::max(wanted_bytes, 5 * device.l2_bytes), most) / 256 * 256;
    const DeviceBuffer front(std::min(front_bytes, most) / 256 * 256, "what is read before a copy");
    const DeviceBuffer from(bytes, "the source of a copy");
    const DeviceBuffer to(bytes, "the destination of a copy");
    const Stream stream;
    check(cudaMemsetAsync(from.data(), 1, bytes, stream.get()), "filling the source of a copy");
    const double library_us = median_us(stream, front, [&] {
        check(cudaMemcpyAsync(to.data(), from.data(), bytes, cudaMemcpyDeviceToDevice, stream.get()),
              "copying on the device");
    });
    const double own_us =
        median_us(stream, front, [&] { launch_copy(from.data(), to.data(), bytes, stream.get()); });
    const double moved = 2.0 * static_cast<double>(bytes);
    if (own_us < library_us) return {moved / own_us * 1e6, "hacscale copy"};
    return {moved / library_us * 1e6, "cudaMemcpyAsync"};
}

}  // namespace hacscale::cuda
