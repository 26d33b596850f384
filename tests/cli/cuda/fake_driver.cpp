// A libcuda.so.1 that answers the first questions of a program as a driver would that is too old, sees no
// device, or does not start. FAKE_VERSION, FAKE_INIT and FAKE_COUNT are its answers.
extern "C" {

int cuDriverGetVersion(int* version) {
    *version = FAKE_VERSION;
    return 0;
}

int cuInit(unsigned) {
    return FAKE_INIT;
}

int cuDeviceGetCount(int* count) {
    *count = FAKE_COUNT;
    return 0;
}

int cuGetErrorString(int, const char** text) {
    *text = "the fake driver's error";
    return 0;
}
}
