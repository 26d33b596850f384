#include "profiler/timing/row_method.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace hacscale {

std::string_view name_of(RowMethod method) {
    return method == RowMethod::prefix ? "prefix" : "stopwatch";
}

RowMethod row_method_from_name(std::string_view name) {
    for (const RowMethod method : {RowMethod::stopwatch, RowMethod::prefix}) {
        if (name == name_of(method)) return method;
    }
    throw InputError(fmt::format(
        "'{}' is no way to time layers inside their network; there are stopwatch and prefix", name));
}

}  // namespace hacscale
