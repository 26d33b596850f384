// cuDNN as it is found on this machine. It is opened at run time, so that the program starts where it is not.
#pragma once

#include <filesystem>
#include <string>

#include "kernels/cuda/libraries.hpp"

namespace hacscale::cuda {

struct CudnnLibrary {
    void* handle = nullptr;  // of libcudnn.so.9
    std::filesystem::path path;
    std::size_t version_number = 0;  // as cudnnGetVersion(): 91900
    std::string version;             // "9.19.0", for fingerprints
    int cuda_version = 0;            // that it was built for, as 13000; of this program's major version
};

// Opens the libraries that cuDNN consists of, beside `library` or where the loader finds them, and asks its
// version. Throws as cudnn().
CudnnLibrary inspect_cudnn(const Library& library);

// Opened once a process, and never closed. Throws MissingError, each time it is asked, when cuDNN or one of
// the libraries it consists of is not here, is of another major version than this program was built for, or was
// itself built for another major version of CUDA.
const CudnnLibrary& cudnn();

}  // namespace hacscale::cuda
