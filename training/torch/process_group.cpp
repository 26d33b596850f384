#include "training/torch/process_group.hpp"

#ifdef HACSCALE_TORCH_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#endif
#ifdef HACSCALE_TORCH_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <charconv>
#include <cstdlib>
#include <string>

#include "base/error.hpp"

namespace hacscale::training {
namespace {

constexpr std::int64_t bucket_bytes = 25 * 1024 * 1024;

class SingleProcess : public ProcessGroup {
public:
    int rank() const override { return 0; }
    int size() const override { return 1; }
    void sum(at::Tensor&) override {}
    void broadcast(at::Tensor&) override {}
};

struct Place {
    int rank = 0;
    int size = 1;
    std::string host;
    int port = 0;
};

std::string text_of(const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr ? value : "";
}

int number_of(const char* variable, int min, int max) {
    const std::string text = text_of(variable);
    int value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || value < min || value > max) {
        throw InputError("environment variable " + std::string(variable) + " is '" + text +
                         "', and has to be a number from " + std::to_string(min) + " to " +
                         std::to_string(max) + " to train in several processes; torchrun sets it");
    }
    return value;
}

Place place_from_environment() {
    if (text_of("WORLD_SIZE").empty()) return {};
    Place place;
    place.size = number_of("WORLD_SIZE", 1, 65536);
    if (place.size == 1) return place;
    place.rank = number_of("RANK", 0, place.size - 1);
    place.port = number_of("MASTER_PORT", 1, 65535);
    place.host = text_of("MASTER_ADDR");
    if (place.host.empty()) {
        throw InputError(
            "environment variable MASTER_ADDR is empty, and has to name the machine of rank 0 to "
            "train in several processes; torchrun sets it");
    }
    return place;
}

#ifdef HACSCALE_TORCH_GLOO
// libtorch's own messages end in a stack of its functions.
std::string reason_of(const std::exception& error) {
    const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
    return torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
}

// Either of c10d's groups: their common base differs between versions of libtorch, their calls do not.
template <typename Group>
class SeveralProcesses : public ProcessGroup {
public:
    SeveralProcesses(c10::intrusive_ptr<Group> group, const Place& place)
        : group_(std::move(group)), rank_(place.rank), size_(place.size) {}
    int rank() const override { return rank_; }
    int size() const override { return size_; }
    void sum(at::Tensor& tensor) override {
        finish([&](std::vector<at::Tensor>& tensors) { return group_->allreduce(tensors); }, tensor);
    }
    void broadcast(at::Tensor& tensor) override {
        finish([&](std::vector<at::Tensor>& tensors) { return group_->broadcast(tensors); }, tensor);
    }

private:
    template <typename Start>
    void finish(const Start& start, at::Tensor& tensor) {
        std::vector<at::Tensor> tensors{tensor};
        try {
            start(tensors)->wait();
        } catch (const std::exception& error) {
            throw WorkError("rank " + std::to_string(rank_) + " of " + std::to_string(size_) +
                            " lost the other processes of this training (" + reason_of(error) +
                            "); start all of them again to go on from the last checkpoint");
        }
    }

    c10::intrusive_ptr<Group> group_;
    int rank_;
    int size_;
};

// Newer versions want libuv where nothing else is asked for, and are built without it by distributions.
template <typename Options>
void ask_for_no_libuv(Options& options) {
    if constexpr (requires { options.useLibUV; }) options.useLibUV = false;
}

c10::intrusive_ptr<c10d::Store> open_store(const Place& place) {
    c10d::TCPStoreOptions options;
    ask_for_no_libuv(options);
    options.port = static_cast<std::uint16_t>(place.port);
    options.isServer = place.rank == 0;
    options.numWorkers = static_cast<std::size_t>(place.size);
    try {
        return c10::make_intrusive<c10d::TCPStore>(place.host, options);
    } catch (const std::exception& error) {
        throw WorkError("rank " + std::to_string(place.rank) + " cannot meet the other processes at " +
                        place.host + ":" + std::to_string(place.port) + " (" + reason_of(error) +
                        "); check MASTER_ADDR and MASTER_PORT");
    }
}

std::unique_ptr<ProcessGroup> open_gloo(const Place& place) {
    using Gloo = c10d::ProcessGroupGloo;
    const auto options = Gloo::Options::create();
    const std::string interface = text_of("GLOO_SOCKET_IFNAME");
    if (!interface.empty()) {
        options->devices.push_back(Gloo::createDeviceForInterface(interface));
    } else if (place.host == "localhost" || place.host == "127.0.0.1") {
        options->devices.push_back(Gloo::createDeviceForHostname("127.0.0.1"));
    } else {
        options->devices.push_back(Gloo::createDefaultDevice());
    }
    return std::make_unique<SeveralProcesses<Gloo>>(
        c10::make_intrusive<Gloo>(open_store(place), place.rank, place.size, options), place);
}
#endif

std::unique_ptr<ProcessGroup> open_several(const Place& place, const at::Device& device) {
    if (device.is_cuda()) {
#if defined(HACSCALE_TORCH_GLOO) && defined(HACSCALE_TORCH_NCCL)
        using Nccl = c10d::ProcessGroupNCCL;
        return std::make_unique<SeveralProcesses<Nccl>>(
            c10::make_intrusive<Nccl>(open_store(place), place.rank, place.size), place);
#else
        throw MissingError(
            "this build has no NCCL to train on several GPUs with; build it with a libtorch for "
            "CUDA and NCCL's and gloo's headers");
#endif
    }
#ifdef HACSCALE_TORCH_GLOO
    return open_gloo(place);
#else
    throw MissingError("this build cannot train in several processes (WORLD_SIZE is " +
                       std::to_string(place.size) + "); build it with gloo's headers (Debian: libgloo-dev)");
#endif
}

}  // namespace

std::unique_ptr<ProcessGroup> open_process_group(const at::Device& device) {
    const Place place = place_from_environment();
    if (place.size == 1) return std::make_unique<SingleProcess>();
    return open_several(place, device);
}

double average_gradients(ProcessGroup& group, const std::vector<at::Tensor>& parameters, double along) {
    if (group.size() == 1) return along;
    const at::NoGradGuard no_grad;
    double sum_along = 0.0;
    for (std::size_t first = 0; first < parameters.size();) {
        std::vector<at::Tensor> flat;
        std::size_t last = first;
        for (std::int64_t bytes = 0; last < parameters.size() && (last == first || bytes < bucket_bytes);
             ++last) {
            // reshape(-1) goes by the dimensions' order, so that ranks agree whatever their memory formats.
            flat.push_back(parameters[last].grad().reshape(-1));
            bytes += static_cast<std::int64_t>(flat.back().nbytes());
        }
        const bool carries_along = last == parameters.size();
        if (carries_along) flat.push_back(at::full({1}, along, flat.front().options()));
        at::Tensor bucket = at::cat(flat);
        group.sum(bucket);
        if (carries_along) sum_along = bucket[-1].item<double>();
        bucket.div_(group.size());
        std::int64_t offset = 0;
        for (; first < last; ++first) {
            at::Tensor gradient = parameters[first].grad();
            gradient.copy_(bucket.narrow(0, offset, gradient.numel()).view(gradient.sizes()));
            offset += gradient.numel();
        }
    }
    return sum_along;
}

}  // namespace hacscale::training
