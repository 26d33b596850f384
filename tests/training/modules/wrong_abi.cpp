// A module of an interface that this program does not speak.
#include "training/trainer_module.hpp"

extern "C" const hacscale::TrainerModule* hacscale_trainer_module() {
    static const hacscale::TrainerModule module{4711, nullptr};
    return &module;
}
