#include "kernels/cuda/layer_range.hpp"

#include <nvtx3/nvToolsExt.h>

namespace hacscale::cuda {
namespace {

// Null where no tool listens.
nvtxDomainHandle_t domain() {
    static const nvtxDomainHandle_t handle = nvtxDomainCreateA("hacscale");
    return handle;
}

}  // namespace

bool ranges_are_seen() {
    return domain() != nullptr;
}

LayerRange::LayerRange(const std::string& name) {
    if (!ranges_are_seen()) return;
    nvtxEventAttributes_t attributes{};
    attributes.version = NVTX_VERSION;
    attributes.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
    attributes.messageType = NVTX_MESSAGE_TYPE_ASCII;
    attributes.message.ascii = name.c_str();
    nvtxDomainRangePushEx(domain(), &attributes);
}

LayerRange::~LayerRange() {
    if (ranges_are_seen()) nvtxDomainRangePop(domain());
}

}  // namespace hacscale::cuda
