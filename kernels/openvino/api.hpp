// The part of OpenVINO's C interface that is used here. The library is opened at run time, and its headers need not be here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace hacscale::openvino {

// Handles and structures of the library, as its openvino/c/*.h have them.
struct ov_core;
struct ov_model;
struct ov_compiled_model;
struct ov_infer_request;
struct ov_tensor;
struct Version {
    const char* build_number;
    const char* description;
};
struct ProfilingInfo {
    int status;
    std::int64_t real_time_us;
    std::int64_t cpu_time_us;
    const char* node_name;
    const char* exec_type;
    const char* node_type;
};
struct ProfilingInfoList {
    ProfilingInfo* infos;
    std::size_t size;
};

class Api {
public:
    // Opened once a process. Throws MissingError where the library is not here: with what was looked for, and how to get it.
    static const Api& get();

    const std::string& version() const { return version_; }

    // Throws WorkError with the library's message, and what was being done, where the status is one of failure.
    void check(int status, const char* doing) const;

    // ---- The functions ----

    int (*core_create)(ov_core**);
    int (*core_read_model_from_memory_buffer)(const ov_core*, const char* bytes, std::size_t,
                                              const ov_tensor* weights, ov_model**);
    // Pairs of texts follow: a property and its value.
    int (*core_compile_model)(const ov_core*, const ov_model*, const char* device, std::size_t texts,
                              ov_compiled_model**, ...);
    int (*compiled_model_create_infer_request)(const ov_compiled_model*, ov_infer_request**);
    int (*infer_request_get_input_tensor_by_index)(const ov_infer_request*, std::size_t, ov_tensor**);
    int (*infer_request_get_output_tensor_by_index)(const ov_infer_request*, std::size_t, ov_tensor**);
    int (*infer_request_infer)(ov_infer_request*);
    int (*infer_request_get_profiling_info)(const ov_infer_request*, ProfilingInfoList*);
    int (*tensor_data)(const ov_tensor*, void** data);
    int (*tensor_get_byte_size)(const ov_tensor*, std::size_t*);
    void (*model_free)(ov_model*);
    void (*compiled_model_free)(ov_compiled_model*);
    void (*infer_request_free)(ov_infer_request*);
    void (*tensor_free)(ov_tensor*);
    void (*profiling_info_list_free)(ProfilingInfoList*);

private:
    Api();

    const char* (*last_message_)();
    std::string version_;
};

// A handle that is released with this.
template <typename Handle>
using Owned = std::unique_ptr<Handle, void (*)(Handle*)>;

}  // namespace hacscale::openvino
