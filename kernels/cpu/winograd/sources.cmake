# The same vector code for each instruction set that the compiler's processor family has, each compiled alone: NAME LANES ROWS
# FLAG... (winograd_kernels.cpp). The compiler warns that functions which take such vectors are called differently with and
# without the set; none of these is seen outside its source.
set(winograd_variants "baseline 4 6")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    list(APPEND winograd_variants "avx2 8 6 -mavx2 -mfma"
         "avx512 16 8 -mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -mprefer-vector-width=512")
endif()
set(winograd_sources winograd/winograd.cpp winograd/winograd_layer.cpp)
foreach(variant IN LISTS winograd_variants)
    separate_arguments(variant)
    list(POP_FRONT variant name lanes rows)
    add_library(hacscale_winograd_${name} OBJECT winograd/winograd_kernels.cpp)
    target_compile_definitions(hacscale_winograd_${name} PRIVATE
        HACSCALE_WINOGRAD_KERNELS=winograd_${name} HACSCALE_WINOGRAD_NAME="${name}"
        HACSCALE_WINOGRAD_LANES=${lanes} HACSCALE_WINOGRAD_ROWS=${rows})
    target_compile_options(hacscale_winograd_${name} PRIVATE -Wno-psabi ${variant})
    target_link_libraries(hacscale_winograd_${name} PRIVATE hacscale_options OpenMP::OpenMP_CXX)
    set_target_properties(hacscale_winograd_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    list(APPEND winograd_sources $<TARGET_OBJECTS:hacscale_winograd_${name}>)
endforeach()
