#include <unistd.h>

#include <csignal>
#include <iostream>

#include "cli/program.hpp"
#include "cli/restart.hpp"
#include "cli/session.hpp"

int main(int argc, char** argv) {
    const hacscale::cli::Restart restart(argc, argv);
    std::ios::sync_with_stdio(false);
    std::signal(SIGPIPE,
                SIG_IGN);  // a write to a closed pipe is then an error that the program ends on in good order
    hacscale::cli::catch_interrupts();
    return hacscale::cli::run(argc, argv, std::cout, std::cerr, isatty(STDERR_FILENO) == 1, &restart);
}
