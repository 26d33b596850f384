# Looks for libjpeg (Debian: libjpeg-dev), which data sets of JPEG files are read with. Sets HACSCALE_JPEG_FOUND.

set(HACSCALE_JPEG AUTO CACHE STRING "Read JPEG images: AUTO (when libjpeg is here), ON, OFF")
set_property(CACHE HACSCALE_JPEG PROPERTY STRINGS AUTO ON OFF)
set(HACSCALE_JPEG_FOUND OFF)
if(HACSCALE_JPEG STREQUAL OFF)
    return()
endif()

find_package(JPEG QUIET)
if(JPEG_FOUND)
    set(HACSCALE_JPEG_FOUND ON)
    return()
endif()
if(HACSCALE_JPEG STREQUAL ON)
    message(FATAL_ERROR "HACSCALE_JPEG=ON, but libjpeg is not here: install libjpeg-dev, or run scripts/setup")
endif()
message(STATUS "No data sets of JPEG images in this build; libjpeg is not here (scripts/setup gets it)")
