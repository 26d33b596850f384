// A libcupti.so.13 that says it is CUPTI of CUDA 12.
extern "C" int cuptiGetVersion(unsigned* version) {
    *version = 120800;
    return 0;
}
