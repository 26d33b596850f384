#include "kernels/cuda/cudnn/cudnn_library.hpp"

#include <cuda_runtime_api.h>
#include <cudnn_version.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <array>

#include "base/error.hpp"

namespace hacscale::cuda {
namespace {

constexpr const char* file_name = "libcudnn.so.9";
constexpr const char* advice =
    "install cuDNN 9 for CUDA 13 (the Python package nvidia-cudnn-cu13 has it), or name its folder in "
    "HACSCALE_CUDA_LIBS";

// libcudnn.so.9 only forwards: the work is in these, which it opens by name at the first call and ends the
// process when it cannot. Opened here from its own folder, they are found under that name later. Needed ones
// come first, each before those that need it.
constexpr std::array parts{"libcudnn_graph.so.9", "libcudnn_heuristic.so.9",
                           "libcudnn_engines_precompiled.so.9", "libcudnn_engines_runtime_compiled.so.9"};

// What cuDNN compiles kernels at run time with. It opens and closes it again and again, which takes longer
// than all else; kept open, it is a look-up. Without it, cuDNN has its precompiled kernels.
constexpr const char* runtime_compiler = "libnvrtc.so.13";

void open_part(const std::filesystem::path& folder, const char* part) {
    std::error_code error;
    auto file = folder / part;
    if (!std::filesystem::exists(file, error)) file = part;  // the loader looks for it
    if (dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) != nullptr) return;
    const char* text = dlerror();
    throw MissingError(
        fmt::format("cuDNN in {} is not whole: {} cannot be opened ({}); reinstall cuDNN, or keep its files "
                    "in one folder",
                    folder.string(), part, text != nullptr ? text : "no reason given"));
}

}  // namespace

CudnnLibrary inspect_cudnn(const Library& library) {
    if (library.handle == nullptr) throw MissingError(library.reason);
    std::error_code error;
    auto file = std::filesystem::canonical(library.path, error);
    if (error) file = library.path;
    for (const char* part : parts) open_part(file.parent_path(), part);

    using GetVersion = std::size_t (*)();
    const auto get_version = reinterpret_cast<GetVersion>(library.symbol("cudnnGetVersion"));
    if (get_version == nullptr) {
        throw MissingError(
            fmt::format("{} is no cuDNN: it lacks cudnnGetVersion; {}", library.path.string(), advice));
    }
    CudnnLibrary cudnn{library.handle, library.path, get_version(), "", 0};
    // Since version 9: major * 10000 + minor * 100 + patch; before: major * 1000 + minor * 100 + patch.
    const std::size_t major_unit = cudnn.version_number >= 90000 ? 10000 : 1000;
    const std::size_t major = cudnn.version_number / major_unit;
    cudnn.version =
        fmt::format("{}.{}.{}", major, cudnn.version_number % major_unit / 100, cudnn.version_number % 100);
    if (major != CUDNN_MAJOR) {
        throw MissingError(
            fmt::format("cuDNN {} in {} is of another major version than cuDNN {}, which this program "
                        "was built for; install cuDNN {}, or name its folder in HACSCALE_CUDA_LIBS",
                        cudnn.version, library.path.string(), CUDNN_MAJOR, CUDNN_MAJOR));
    }
    // The builds for CUDA 12 and 13 have one soname, and their Python packages one folder.
    const auto get_cuda = reinterpret_cast<GetVersion>(library.symbol("cudnnGetCudartVersion"));
    cudnn.cuda_version = get_cuda != nullptr ? static_cast<int>(get_cuda()) : 0;
    if (cudnn.cuda_version / 1000 != CUDART_VERSION / 1000) {
        throw MissingError(
            fmt::format("cuDNN {} in {} was built for CUDA {}, and this program needs one for CUDA {}: "
                        "install the Python package "
                        "nvidia-cudnn-cu{} (after 'pip uninstall nvidia-cudnn-cu{}', which has files of the "
                        "same names), or name "
                        "the folder of such a cuDNN in HACSCALE_CUDA_LIBS",
                        cudnn.version, library.path.string(), cuda_version_text(cudnn.cuda_version),
                        CUDART_VERSION / 1000, CUDART_VERSION / 1000, cudnn.cuda_version / 1000));
    }
    return cudnn;
}

const CudnnLibrary& cudnn() {
    static const CudnnLibrary library = [] {
        CudnnLibrary found = inspect_cudnn(open_library(file_name, advice));
        open_library(runtime_compiler, "");
        return found;
    }();
    return library;
}

}  // namespace hacscale::cuda
