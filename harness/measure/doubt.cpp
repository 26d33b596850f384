#include "harness/measure/doubt.hpp"

#include <spdlog/logger.h>

namespace hacscale::cli {

void add_doubt(Session& session, const std::string& warning) {
    session.log.warn("{}", warning);
    session.doubts.push_back(warning);
}

ExitStatus status_with_doubts(ExitStatus status, Session& session) {
    if (session.doubts.empty() || status != ExitStatus::done) {
        return status;
    }
    session.log.warn("what was measured now may be too slow (see the warnings above): exit status 4");
    return ExitStatus::incomplete;
}

}  // namespace hacscale::cli
