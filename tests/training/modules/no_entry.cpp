// A module without the entry that the program looks for.
extern "C" int hacscale_something_else() {
    return 0;
}
