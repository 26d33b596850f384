#include "profiler/detail/output_check.hpp"

#include "kernels/backend/spot_check.hpp"
#include "profiler/row_changes.hpp"

namespace hacscale::detail {

void OutputCheck::operator()(Row& row, std::int64_t footprint_bytes) {
    if (!enabled_) return;
    const std::pair kernel{row.key.layer, row.implementation};
    auto known = faults_.find(kernel);
    if (known == faults_.end()) {
        const CompileOptions options{settings_.batch, settings_.type, footprint_bytes};
        const std::string fault =
            spot_check(*device_.backend, device_.device.id, row.key.layer, options).reason;
        known = faults_.emplace(kernel, fault).first;
    }
    if (!known->second.empty()) fail(row, known->second);
}

}  // namespace hacscale::detail
