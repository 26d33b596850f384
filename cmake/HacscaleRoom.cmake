# One folder, one static library. Compiler settings that all rooms share stand here once.

add_library(hacscale_options INTERFACE)
target_include_directories(hacscale_options INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_options(hacscale_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion)
if(HACSCALE_SANITIZE)
    target_compile_options(hacscale_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined
                           -fno-omit-frame-pointer)
    target_link_options(hacscale_options INTERFACE -fsanitize=address,undefined)
endif()

# hacscale_room(NAME SOURCES file... [PUBLIC lib...] [PRIVATE lib...])
# PUBLIC: what the room's headers need; PRIVATE: what only its sources need.
function(hacscale_room name)
    cmake_parse_arguments(ROOM "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
    add_library(hacscale_${name} STATIC ${ROOM_SOURCES})
    set_target_properties(hacscale_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_link_libraries(hacscale_${name} PUBLIC hacscale_options ${ROOM_PUBLIC} PRIVATE ${ROOM_PRIVATE})
endfunction()
