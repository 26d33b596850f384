// What every page carries, built into the program from this folder and from Debian's libjs-vega
// (page/embed.cmake), so that the installed program needs no files of its own to write a report.
#pragma once

#include <span>
#include <string_view>

namespace hacscale::report::resources {

// One file of the chart library. Debian ships Vega as separate UMD modules without the bundle that joins
// them; the page's registry (modules.js) plays the part of require().
struct Module {
    std::string_view name;  // as the other modules require it
    std::string_view text;
};

std::string_view style();
std::string_view module_registry();
std::string_view page_script();
std::span<const Module> chart_library();

}  // namespace hacscale::report::resources
