// The device library: functions whose last bits differ between the host's libm and the device's.
//
// Included inside the unnamed namespace of a kernel's translation unit. In the variant Perturbed these functions
// hide those of the host, and each result is moved by up to 2 ulp, by a function of seed, name and result: whatever
// then changes depended on a library's last bits. Operations that IEEE 754 fixes (+ - * / sqrt fma) are untouched.

#ifdef EMULATOR_PERTURBED

EMULATOR_UNCHECKED inline uint64_t emulator_mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

EMULATOR_UNCHECKED inline int emulator_steps(const char* name, uint64_t bits) {
    uint64_t hash = emulator::perturbation_seed();
    for (; *name; ++name) hash = emulator_mix(hash ^ static_cast<unsigned char>(*name));
    return static_cast<int>(emulator_mix(hash ^ bits) % 5) - 2;
}

// Neighbours stay finite and keep the sign; 0, infinities and NaN are the same on host and device.
EMULATOR_UNCHECKED inline float emulator_perturbed(const char* name, float x) {
    unsigned bits = emulator::same_bits<unsigned>(x), exponent = bits >> 23 & 255;
    if (exponent == 0 || exponent >= 254) return x;
    return emulator::same_bits<float>(bits + static_cast<unsigned>(emulator_steps(name, bits)));
}
EMULATOR_UNCHECKED inline double emulator_perturbed(const char* name, double x) {
    uint64_t bits = emulator::same_bits<uint64_t>(x), exponent = bits >> 52 & 2047;
    if (exponent == 0 || exponent >= 2046) return x;
    return emulator::same_bits<double>(bits + static_cast<uint64_t>(static_cast<int64_t>(emulator_steps(name, bits))));
}

#define EMULATOR_LIBRARY_1(NAME)                                                      \
    inline float NAME##f(float x) { return emulator_perturbed(#NAME, ::NAME##f(x)); } \
    inline double NAME(double x) { return emulator_perturbed(#NAME, ::NAME(x)); }     \
    inline float NAME(float x) { return emulator_perturbed(#NAME, ::NAME##f(x)); }
#define EMULATOR_LIBRARY_2(NAME)                                                                  \
    inline float NAME##f(float x, float y) { return emulator_perturbed(#NAME, ::NAME##f(x, y)); } \
    inline double NAME(double x, double y) { return emulator_perturbed(#NAME, ::NAME(x, y)); }    \
    inline float NAME(float x, float y) { return emulator_perturbed(#NAME, ::NAME##f(x, y)); }

EMULATOR_LIBRARY_1(exp)
EMULATOR_LIBRARY_1(exp2)
EMULATOR_LIBRARY_1(exp10)
EMULATOR_LIBRARY_1(expm1)
EMULATOR_LIBRARY_1(log)
EMULATOR_LIBRARY_1(log2)
EMULATOR_LIBRARY_1(log10)
EMULATOR_LIBRARY_1(log1p)
EMULATOR_LIBRARY_1(sin)
EMULATOR_LIBRARY_1(cos)
EMULATOR_LIBRARY_1(tan)
EMULATOR_LIBRARY_1(asin)
EMULATOR_LIBRARY_1(acos)
EMULATOR_LIBRARY_1(atan)
EMULATOR_LIBRARY_1(sinh)
EMULATOR_LIBRARY_1(cosh)
EMULATOR_LIBRARY_1(tanh)
EMULATOR_LIBRARY_1(asinh)
EMULATOR_LIBRARY_1(acosh)
EMULATOR_LIBRARY_1(atanh)
EMULATOR_LIBRARY_1(erf)
EMULATOR_LIBRARY_1(erfc)
EMULATOR_LIBRARY_1(cbrt)
EMULATOR_LIBRARY_1(lgamma)
EMULATOR_LIBRARY_1(tgamma)
EMULATOR_LIBRARY_2(pow)
EMULATOR_LIBRARY_2(atan2)
EMULATOR_LIBRARY_2(hypot)

inline void sincos(double x, double* sine, double* cosine) { *sine = sin(x), *cosine = cos(x); }
inline void sincosf(float x, float* sine, float* cosine) { *sine = sinf(x), *cosine = cosf(x); }

#else

EMULATOR_UNCHECKED inline float emulator_perturbed(const char*, float x) { return x; }
EMULATOR_UNCHECKED inline double emulator_perturbed(const char*, double x) { return x; }

#endif

inline float rsqrtf(float x) { return emulator_perturbed("rsqrt", 1.0f / sqrtf(x)); }
inline double rsqrt(double x) { return emulator_perturbed("rsqrt", 1.0 / sqrt(x)); }
inline float rsqrt(float x) { return rsqrtf(x); }
inline float rcbrtf(float x) { return emulator_perturbed("rcbrt", 1.0f / ::cbrtf(x)); }
inline double rcbrt(double x) { return emulator_perturbed("rcbrt", 1.0 / ::cbrt(x)); }
inline float sinpif(float x) {
    return emulator_perturbed("sinpi", static_cast<float>(::sin(M_PI * static_cast<double>(x))));
}
inline float cospif(float x) {
    return emulator_perturbed("cospi", static_cast<float>(::cos(M_PI * static_cast<double>(x))));
}
inline float normcdff(float x) {
    return emulator_perturbed("normcdf", static_cast<float>(0.5 * ::erfc(-M_SQRT1_2 * static_cast<double>(x))));
}
inline double normcdf(double x) { return emulator_perturbed("normcdf", 0.5 * ::erfc(-M_SQRT1_2 * x)); }
inline float __expf(float x) { return expf(x); }
inline float __exp10f(float x) { return exp10f(x); }
inline float __logf(float x) { return logf(x); }
inline float __log2f(float x) { return log2f(x); }
inline float __log10f(float x) { return log10f(x); }
inline float __sinf(float x) { return sinf(x); }
inline float __cosf(float x) { return cosf(x); }
inline float __tanf(float x) { return tanf(x); }
inline float __powf(float x, float y) { return powf(x, y); }
inline float __fdividef(float x, float y) { return emulator_perturbed("fdivide", x / y); }
