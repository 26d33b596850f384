// A library that can be opened: the tests copy it under the names they look for.
extern "C" int hacscale_test_library() {
    return 1;
}
