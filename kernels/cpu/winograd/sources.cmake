# The same vector code for each instruction set that the compiler's processor family has, each compiled alone. The compiler
# warns that functions which take such vectors are called differently with and without the set; none of these is seen
# outside its source.
set(winograd_variants winograd/winograd_baseline.cpp)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    list(APPEND winograd_variants winograd/winograd_avx2.cpp winograd/winograd_avx512.cpp)
endif()
set_source_files_properties(${winograd_variants} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON COMPILE_OPTIONS -Wno-psabi)
set_property(SOURCE winograd/winograd_avx2.cpp APPEND PROPERTY COMPILE_OPTIONS -mavx2 -mfma)
set_property(SOURCE winograd/winograd_avx512.cpp APPEND PROPERTY COMPILE_OPTIONS
             -mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -mprefer-vector-width=512)
set(winograd_sources winograd/winograd.cpp winograd/winograd_layer.cpp ${winograd_variants})
