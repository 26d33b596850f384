// A device as answers and records name it. Include in .cpp files only, as cli/print_json.hpp.
#pragma once

#include "cli/print_json.hpp"
#include "profiler/table/table.hpp"

namespace hacscale::cli {

inline Json device_json(const DeviceRecord& device) {
    return {{"id", device.id},
            {"name", device.name},
            {"fingerprint", device.fingerprint},
            {"properties", Json::parse(device.properties)}};
}

}  // namespace hacscale::cli
