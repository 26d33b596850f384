// Runs the program on a made-up device: in-process, and in child processes, which inherit the environment.
#pragma once

#include <stdlib.h>

#include "program_fixture.hpp"

namespace hacscale::cli {

// Runs the program where "cpu" is a made-up device whose clock only its own runs move (tests/README.md): what
// is measured comes out the same on every machine, however busy, and minutes of measuring are over at once.
class MadeUpDeviceTest : public ProgramTest {
protected:
    MadeUpDeviceTest() { setenv("HACSCALE_BACKENDS", HACSCALE_MADE_UP_DEVICE, 1); }
    ~MadeUpDeviceTest() override { unsetenv("HACSCALE_BACKENDS"); }
};

}  // namespace hacscale::cli
