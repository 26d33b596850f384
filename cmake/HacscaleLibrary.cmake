# What programs of others link: static libraries, their headers below include/hacscale, and a package for find_package(hacscale).
# All of it is the component "library", which the bundle leaves out (HacscaleBundle.cmake).

# hacscale_install_library(FOLDER...): called when the folders and what they link have been named.
function(hacscale_install_library)
    set(targets hacscale_options)
    foreach(folder ${ARGN})
        if(TARGET hacscale_${folder})
            list(APPEND targets hacscale_${folder})
            set_target_properties(hacscale_${folder} PROPERTIES EXPORT_NAME ${folder})
        endif()
    endforeach()
    if(HACSCALE_CUDA_FOUND)
        list(APPEND targets hacscale_cuda_headers hacscale_cuda_libraries hacscale_cupti)
    endif()
    install(TARGETS ${targets} EXPORT hacscale ARCHIVE DESTINATION lib COMPONENT library)
    install(EXPORT hacscale NAMESPACE hacscale:: FILE hacscaleTargets.cmake DESTINATION lib/cmake/hacscale COMPONENT library)
    foreach(folder base models kernels/backend kernels/host profiler scaling training records report harness)
        install(DIRECTORY "${PROJECT_SOURCE_DIR}/${folder}/" DESTINATION include/hacscale/${folder} COMPONENT library
                FILES_MATCHING PATTERN "*.hpp" PATTERN "torch" EXCLUDE)
    endforeach()
    include(CMakePackageConfigHelpers)
    configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/hacscaleConfig.cmake.in" "${PROJECT_BINARY_DIR}/hacscaleConfig.cmake"
                                  INSTALL_DESTINATION lib/cmake/hacscale)
    write_basic_package_version_file("${PROJECT_BINARY_DIR}/hacscaleConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
    install(FILES "${PROJECT_BINARY_DIR}/hacscaleConfig.cmake" "${PROJECT_BINARY_DIR}/hacscaleConfigVersion.cmake"
            DESTINATION lib/cmake/hacscale COMPONENT library)
endfunction()
