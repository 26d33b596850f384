// A module that cannot work on this machine.
#include "base/error.hpp"
#include "training/trainer_module.hpp"

extern "C" const hacscale::TrainerModule* hacscale_trainer_module() {
    static const hacscale::TrainerModule module{
        hacscale::trainer_abi_version, []() -> std::unique_ptr<hacscale::Trainer> {
            throw hacscale::MissingError("this machine has no abacus");
        }};
    return &module;
}
