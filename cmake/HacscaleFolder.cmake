# One folder, one static library. Compiler settings that all folders share are here.
#
# Most of a source's compile time goes into the headers of libraries. A folder's sources are therefore compiled many at a time
# (CMAKE_UNITY_BUILD in CMakePresets.json), and looked at so by scripts/tidy. For that, names in a folder's unnamed namespaces
# differ from source to source. The preset debug compiles each alone, which is quicker where one source changes.

add_library(hacscale_options INTERFACE)
target_include_directories(hacscale_options INTERFACE "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>"
                           "$<INSTALL_INTERFACE:include/hacscale>")
target_compile_features(hacscale_options INTERFACE cxx_std_20)
# nvcc passes its host code through the preprocessor, which -Wpedantic complains about.
set(shared_warnings -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion)
list(JOIN shared_warnings "," host_warnings)
target_compile_options(hacscale_options INTERFACE
    "$<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:${shared_warnings};-Wpedantic>>"
    "$<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=${host_warnings}>>")
if(CMAKE_UNITY_BUILD)
    # GCC takes the joined sources for headers, in which types of unnamed namespaces would be out of place.
    target_compile_options(hacscale_options INTERFACE "$<BUILD_INTERFACE:$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-subobject-linkage>>")
endif()
if(HACSCALE_SANITIZE)
    # Half of a test's compile time would go into its own undefined behaviour, and the project's is what is looked for.
    set(sanitizers "-fsanitize=address$<$<NOT:$<BOOL:$<TARGET_PROPERTY:HACSCALE_TEST>>>:$<COMMA>undefined>")
    # The comma would be taken for the end of nvcc's argument.
    set(host_sanitizers -fsanitize=address -fsanitize=undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
    list(TRANSFORM host_sanitizers PREPEND "SHELL:-Xcompiler=")
    # Under sanitizers GCC 12 thinks that parts of the standard library's regular expressions may not be initialized.
    target_compile_options(hacscale_options INTERFACE
        "$<$<COMPILE_LANGUAGE:CXX>:${sanitizers};-fno-sanitize-recover=undefined;-fno-omit-frame-pointer>"
        "$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-maybe-uninitialized>"
        "$<$<COMPILE_LANGUAGE:CUDA>:${host_sanitizers}>")
    target_link_options(hacscale_options INTERFACE -fsanitize=address,undefined)
endif()
if(HACSCALE_FUZZERS)
    # libFuzzer sees which parts of the code an input reached.
    target_compile_options(hacscale_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=fuzzer-no-link>)
endif()

# hacscale_cold(TARGET): nothing in it computes for long or is timed, so an optimized build spends less on it; it is most of
# what has to be compiled before the program runs at all.
function(hacscale_cold target)
    if(CMAKE_CXX_FLAGS_RELEASE MATCHES "-O3")
        target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
    endif()
endfunction()

# hacscale_folder(NAME [COLD] SOURCES file... [PUBLIC lib...] [PRIVATE lib...])
# PUBLIC: what the folder's headers need; PRIVATE: what only its sources need. COLD: as hacscale_cold().
function(hacscale_folder name)
    cmake_parse_arguments(FOLDER "COLD" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
    add_library(hacscale_${name} STATIC ${FOLDER_SOURCES})
    set_target_properties(hacscale_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    if(FOLDER_COLD)
        hacscale_cold(hacscale_${name})
    endif()
    target_link_libraries(hacscale_${name} PUBLIC hacscale_options ${FOLDER_PUBLIC} PRIVATE ${FOLDER_PRIVATE})
endfunction()
