# conv_graph.cpp alone includes cudnn-frontend's headers, which take long to compile. It uses cuDNN's entry points as the
# opened library has them, and no JSON library of the frontend's own.
set(cuda_cudnn_sources
    cudnn/conv_graph.cpp cudnn/conv_layer.cpp cudnn/cudnn_library.cpp cudnn/gpu_profile.cpp
    cudnn/engine_plans.cpp cudnn/offline_plan.cpp cudnn/plan_cache.cpp cudnn/plan_check.cpp)
set_source_files_properties(${CMAKE_CURRENT_SOURCE_DIR}/cudnn/conv_graph.cpp PROPERTIES
    COMPILE_DEFINITIONS "NV_CUDNN_FRONTEND_USE_DYNAMIC_LOADING;CUDNN_FRONTEND_SKIP_JSON_LIB")
