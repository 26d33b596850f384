# What `cmake --install` lays out, and the archive that cpack makes of it for machines without internet:
#   bin/ lib/hacscale/backends/ share/hacscale/{models,suites,gpu-profiles}/, and with HACSCALE_BUNDLE also gpu-check,
#   share/hacscale/peers/, the GPU tests, and every library that is not glibc's, so that nothing but the driver,
#   cuDNN and CUPTI has to be on the machine.

option(HACSCALE_BUNDLE "Install the shared libraries that the programs use, and the GPU tests, beside them" OFF)

# hacscale_install(TARGET): a program or a backend module, with the libraries that it uses in a bundle.
function(hacscale_install target)
    set(dependencies "")
    if(HACSCALE_BUNDLE)
        set(dependencies RUNTIME_DEPENDENCY_SET hacscale_bundled)
        set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN/../lib/hacscale")
        get_target_property(type ${target} TYPE)
        if(type STREQUAL MODULE_LIBRARY)
            set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN/..")
        endif()
        # Unlike DT_RUNPATH, DT_RPATH also holds for the libraries that the bundled libraries need.
        target_link_options(${target} PRIVATE -Wl,--disable-new-dtags)
    endif()
    install(TARGETS ${target} ${dependencies} RUNTIME DESTINATION bin LIBRARY DESTINATION lib/hacscale/backends)
endfunction()

# Called last, when every target has been named.
function(hacscale_install_bundle)
    install(DIRECTORY "${PROJECT_SOURCE_DIR}/models/zoo/" DESTINATION share/hacscale/models FILES_MATCHING PATTERN "*.yaml")
    install(DIRECTORY "${PROJECT_SOURCE_DIR}/bench/suites/" DESTINATION share/hacscale/suites FILES_MATCHING PATTERN "*.yaml" PATTERN "*.json")
    install(DIRECTORY "${PROJECT_SOURCE_DIR}/kernels/cuda/profiles/" DESTINATION share/hacscale/gpu-profiles
            FILES_MATCHING PATTERN "*.json")
    install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/docs/gpu.md" DESTINATION share/hacscale)
    if(HACSCALE_BUNDLE)
        install(PROGRAMS "${PROJECT_SOURCE_DIR}/bench/gpu-check" DESTINATION .)
        install(DIRECTORY "${PROJECT_SOURCE_DIR}/bench/peers/" DESTINATION share/hacscale/peers FILES_MATCHING PATTERN "*.py")
        # What gpu-check --plan needs.
        install(DIRECTORY "${PROJECT_SOURCE_DIR}/bench/plans" DESTINATION share/hacscale)
        install(FILES "${PROJECT_SOURCE_DIR}/bench/across_devices.py" "${PROJECT_SOURCE_DIR}/bench/shrink_and_tune.py"
                DESTINATION share/hacscale)
        install(DIRECTORY "${PROJECT_SOURCE_DIR}/results/nvidia-h200/paper-budgets-gpu" DESTINATION share/hacscale/results/nvidia-h200
                FILES_MATCHING PATTERN "compare-*.json" PATTERN "table.db")
        install(DIRECTORY "${PROJECT_SOURCE_DIR}/results/nvidia-h200/training" DESTINATION share/hacscale/results/nvidia-h200
                FILES_MATCHING PATTERN "*.yaml")
        install(RUNTIME_DEPENDENCY_SET hacscale_bundled
                # glibc is the system's, and so is everything of NVIDIA's.
                PRE_EXCLUDE_REGEXES "^ld-linux" "^lib(c|m|dl|rt|pthread|resolv|util|mvec)\\.so" "^lib(cuda|nv|cu)"
                LIBRARY DESTINATION lib/hacscale)
    endif()

    set(CPACK_GENERATOR TGZ)
    set(CPACK_PACKAGE_FILE_NAME "hacscale-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR}")
    set(CPACK_PACKAGE_VENDOR "HACScale")
    set(CPACK_STRIP_FILES ON)
    set(CPACK_THREADS 0)
    # Programs and data; not the component "library".
    set(CPACK_INSTALL_CMAKE_PROJECTS "${PROJECT_BINARY_DIR};${PROJECT_NAME};Unspecified;/")
    include(CPack)
endfunction()
