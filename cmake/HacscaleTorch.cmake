# Looks for libtorch, which the training module (training/torch/) is built with: where CMAKE_PREFIX_PATH says ("python3 -c 'import torch;
# print(torch.utils.cmake_prefix_path)'" prints where a PyTorch has it), else in the active virtual environment's PyTorch, else the
# system's (Debian: libtorch-dev). Sets HACSCALE_TORCH_FOUND.
# Training in several processes needs gloo's headers beside it (Debian: libgloo-dev), on GPUs NCCL's as well.

set(HACSCALE_TORCH AUTO CACHE STRING "Build the training module: AUTO (when libtorch is here), ON, OFF")
set_property(CACHE HACSCALE_TORCH PROPERTY STRINGS AUTO ON OFF)
set(HACSCALE_TORCH_FOUND OFF)
if(HACSCALE_TORCH STREQUAL OFF)
    return()
endif()

# PyTorch's files, where it was built for GPUs, choose the architectures that everything in the caller's scope is compiled for, and turn
# CMAKE_CUDA_ARCHITECTURES off. That is for extensions; the kernels here keep their own. Unless it is told, PyTorch also compiles a program
# to ask which GPUs are here, and that fails where CMake does not know the compiler's C++20.
block(SCOPE_FOR VARIABLES PROPAGATE Torch_FOUND Torch_VERSION TORCH_LIBRARIES TORCH_INCLUDE_DIRS)
    if(NOT DEFINED TORCH_CUDA_ARCH_LIST AND NOT DEFINED ENV{TORCH_CUDA_ARCH_LIST})
        set(TORCH_CUDA_ARCH_LIST 9.0)
    endif()
    set(torch_of_environment "")
    if(DEFINED ENV{VIRTUAL_ENV})
        file(GLOB torch_of_environment "$ENV{VIRTUAL_ENV}/lib/python3*/site-packages/torch/share/cmake/Torch")
    endif()
    find_package(Torch QUIET HINTS ${torch_of_environment})
endblock()
if(NOT Torch_FOUND)
    if(HACSCALE_TORCH STREQUAL ON)
        message(FATAL_ERROR "HACSCALE_TORCH=ON, but libtorch is not here: run scripts/setup --training, or give "
                            "CMAKE_PREFIX_PATH")
    endif()
    message(STATUS "No training module in this build; libtorch is not here (scripts/setup --training gets it)")
    return()
endif()

set(HACSCALE_TORCH_FOUND ON)
add_library(hacscale_torch INTERFACE)
target_link_libraries(hacscale_torch INTERFACE ${TORCH_LIBRARIES})
set(torch_transports "")
find_path(GLOO_INCLUDE_DIR gloo/algorithm.h HINTS ${TORCH_INCLUDE_DIRS})
if(GLOO_INCLUDE_DIR)
    target_include_directories(hacscale_torch SYSTEM INTERFACE ${GLOO_INCLUDE_DIR})
    target_compile_definitions(hacscale_torch INTERFACE HACSCALE_TORCH_GLOO)
    list(APPEND torch_transports gloo)
endif()
if(TARGET torch_cuda)
    # PyTorch's libraries name others that lie in Python packages of their own, and find them when they run.
    target_link_options(hacscale_torch INTERFACE LINKER:--allow-shlib-undefined)
    target_compile_definitions(hacscale_torch INTERFACE HACSCALE_TORCH_CUDA)
    find_path(NCCL_INCLUDE_DIR nccl.h HINTS ${TORCH_INCLUDE_DIRS})
    if(NCCL_INCLUDE_DIR)
        target_include_directories(hacscale_torch SYSTEM INTERFACE ${NCCL_INCLUDE_DIR})
        target_compile_definitions(hacscale_torch INTERFACE HACSCALE_TORCH_NCCL USE_C10D_NCCL)
        list(APPEND torch_transports NCCL)
    endif()
endif()
list(JOIN torch_transports ", " torch_transports)
message(STATUS "Training module: libtorch ${Torch_VERSION} (${Torch_DIR}), between processes: ${torch_transports}")
