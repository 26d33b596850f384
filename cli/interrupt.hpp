// Ctrl-C and SIGTERM as a flag that long work polls between two measurements: what was measured is kept, and
// the command says how to go on. The first signal sets the flag; a second one ends the program at once.
#pragma once

namespace hacscale::cli {

void catch_interrupts();  // from now on SIGINT and SIGTERM set the flag
bool interrupted();       // for long loops to poll
int interrupt_signal();   // the signal that came, 0 when none did
void clear_interrupt();   // forgets it

// What a shell expects of a program that a signal ended: 128 + its number, 130 for Ctrl-C.
int interrupt_exit_status();

}  // namespace hacscale::cli
