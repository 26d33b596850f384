// A library with a module's file name and without its entry.
extern "C" int hacscale_test_nothing() {
    return 0;
}
