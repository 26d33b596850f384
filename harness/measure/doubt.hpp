// What casts doubt on every time that a process measures: other work on its cores, or a quota below its threads.
#pragma once

#include <string>

#include "cli/command.hpp"
#include "cli/session.hpp"

namespace hacscale::cli {

// Warns, and keeps the warning for the exit status.
void add_doubt(Session& session, const std::string& warning);

// The status of a command that measured: `done` becomes `incomplete`, with a sentence, where times may be
// wrong.
ExitStatus status_with_doubts(ExitStatus status, Session& session);

}  // namespace hacscale::cli
