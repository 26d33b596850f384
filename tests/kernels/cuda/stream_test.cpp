// A tool for NVTX that is linked into this program, as a profiler is that is attached to one: it hears what
// ranges are opened and closed.
#include "kernels/cuda/stream.hpp"

#include <gtest/gtest.h>
#include <nvtx3/nvToolsExt.h>

#include <string>
#include <vector>

namespace {

// What the tool heard: names as ranges open, "end" as they close.
std::vector<std::string>& heard() {
    static std::vector<std::string> list;
    return list;
}

int the_domain = 0;

nvtxDomainHandle_t NVTX_API create_domain(const char* name) {
    heard().push_back(std::string("domain ") + name);
    return reinterpret_cast<nvtxDomainHandle_t>(&the_domain);
}

int NVTX_API push(nvtxDomainHandle_t domain, const nvtxEventAttributes_t* event) {
    EXPECT_EQ(static_cast<void*>(domain), &the_domain);
    EXPECT_EQ(event->messageType, NVTX_MESSAGE_TYPE_ASCII);
    heard().emplace_back(event->message.ascii);
    return 0;
}

int NVTX_API pop(nvtxDomainHandle_t domain) {
    EXPECT_EQ(static_cast<void*>(domain), &the_domain);
    heard().emplace_back("end");
    return 0;
}

int NVTX_API listen(NvtxGetExportTableFunc_t tables) {
    const auto* callbacks = static_cast<const NvtxExportTableCallbacks*>(tables(NVTX_ETID_CALLBACKS));
    NvtxFunctionTable functions = nullptr;
    unsigned int size = 0;
    if (callbacks == nullptr ||
        callbacks->GetModuleFunctionTable(NVTX_CB_MODULE_CORE2, &functions, &size) == 0) {
        return 0;
    }
    *functions[NVTX_CBID_CORE2_DomainCreateA] = reinterpret_cast<NvtxFunctionPointer>(create_domain);
    *functions[NVTX_CBID_CORE2_DomainRangePushEx] = reinterpret_cast<NvtxFunctionPointer>(push);
    *functions[NVTX_CBID_CORE2_DomainRangePop] = reinterpret_cast<NvtxFunctionPointer>(pop);
    return 1;
}

}  // namespace

namespace hacscale::cuda {
namespace {

TEST(LayerRange, IsHeardByATool) {
    // Where NVTX looks for a tool that is part of the program, when the first range is opened.
    InitializeInjectionNvtx2_fnptr = listen;
    ASSERT_TRUE(ranges_are_seen());
    {
        const LayerRange network("network");
        const LayerRange layer("stage1.block1.conv1");
    }
    EXPECT_EQ(heard(),
              (std::vector<std::string>{"domain hacscale", "network", "stage1.block1.conv1", "end", "end"}));
}

}  // namespace
}  // namespace hacscale::cuda
