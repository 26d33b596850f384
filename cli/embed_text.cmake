# Writes a C++ file that holds a text as a string: cmake -DINPUT=docs/cli.md -DOUTPUT=help_document.cpp
#   -DNAME=help_document -P embed_text.cmake. Read back as `extern const std::string_view NAME` in hacscale::cli.
file(READ "${INPUT}" text)
file(WRITE "${OUTPUT}" "// Written by cli/embed_text.cmake.
#include <string_view>
namespace hacscale::cli {
extern const std::string_view ${NAME};
const std::string_view ${NAME} = R\"embedded(${text})embedded\";
}
")
