// The part of ONNX Runtime's C interface that is used here. The library is opened at run time, and its headers need not be here: a
// function is known by its place in the library's table, which the interface promises never to change (OrtApi in
// onnxruntime_c_api.h: functions are only ever added at the end).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace hacscale::onnxruntime {

// Handles of the library.
struct OrtStatus;
struct OrtEnv;
struct OrtSession;
struct OrtSessionOptions;
struct OrtRunOptions;
struct OrtMemoryInfo;
struct OrtValue;
struct OrtIoBinding;
struct OrtCUDAProviderOptionsV2;

class Api {
public:
    // Opened once a process. Throws MissingError where the library is not here, or too old: with what was looked for, and how to get
    // it.
    static const Api& get();

    const std::string& version() const { return version_; }

    // What this build of the library computes with: "CPUExecutionProvider", "CUDAExecutionProvider".
    std::vector<std::string> providers() const;

    // Throws std::bad_alloc where the library had no memory, else WorkError with the library's message, and what was being done, where the status is one of failure.
    void check(OrtStatus* status, const char* doing) const;

    // ---- The functions ----

    OrtStatus* (*create_env)(int log_severity, const char* log_id, OrtEnv**);
    OrtStatus* (*create_session_options)(OrtSessionOptions**);
    OrtStatus* (*set_optimized_model_file)(OrtSessionOptions*, const char* file);
    OrtStatus* (*set_intra_op_threads)(OrtSessionOptions*, int);
    OrtStatus* (*create_session_from_bytes)(const OrtEnv*, const void* bytes, std::size_t,
                                            const OrtSessionOptions*, OrtSession**);
    OrtStatus* (*run)(OrtSession*, const OrtRunOptions*, const char* const* input_names,
                      const OrtValue* const* inputs, std::size_t, const char* const* output_names,
                      std::size_t, OrtValue** outputs);
    OrtStatus* (*create_run_options)(OrtRunOptions**);
    OrtStatus* (*enable_profiling)(OrtRunOptions*, const char* file_prefix);
    OrtStatus* (*create_memory_info)(const char* name, int allocator_type, int device, int memory_type,
                                     OrtMemoryInfo**);
    OrtStatus* (*create_tensor)(const OrtMemoryInfo*, void* data, std::size_t bytes,
                                const std::int64_t* sizes, std::size_t axes, int element_type, OrtValue**);
    OrtStatus* (*create_io_binding)(OrtSession*, OrtIoBinding**);
    OrtStatus* (*bind_input)(OrtIoBinding*, const char* name, const OrtValue*);
    OrtStatus* (*bind_output)(OrtIoBinding*, const char* name, const OrtValue*);
    OrtStatus* (*run_with_binding)(OrtSession*, const OrtRunOptions*, const OrtIoBinding*);
    OrtStatus* (*create_cuda_options)(OrtCUDAProviderOptionsV2**);
    OrtStatus* (*update_cuda_options)(OrtCUDAProviderOptionsV2*, const char* const* keys,
                                      const char* const* values, std::size_t);
    OrtStatus* (*append_cuda)(OrtSessionOptions*, const OrtCUDAProviderOptionsV2*);
    void (*release_io_binding)(OrtIoBinding*);
    void (*release_cuda_options)(OrtCUDAProviderOptionsV2*);
    void (*release_session)(OrtSession*);
    void (*release_session_options)(OrtSessionOptions*);
    void (*release_run_options)(OrtRunOptions*);
    void (*release_memory_info)(OrtMemoryInfo*);
    void (*release_value)(OrtValue*);

private:
    Api();

    const char* (*error_message_)(const OrtStatus*);
    OrtStatus* (*get_providers_)(char*** names, int* count);
    OrtStatus* (*release_providers_)(char** names, int count);
    void (*release_status_)(OrtStatus*);
    std::string version_;
};

// A handle that is released with this.
template <typename Handle>
using Owned = std::unique_ptr<Handle, void (*)(Handle*)>;

}  // namespace hacscale::onnxruntime
