// The scalar functions of a smeared toy: the text of src/toys/smeared/math.rs.
#pragma once
#include "common/det.cuh"
#include "common/special.cuh"

namespace toys {

using det::exp;
using det::ln;
using det::sqrt;
using special::TWO_PI;

/// Nuisances of templates have their draw numbers from here on, beyond those of the cells.
constexpr u64 SHARED = 1ull << 32;

/// From this mean on a draw is searched from the mode, below it from 0.
constexpr double FROM_MODE = 16.0;

/// Where all terms left are smaller, a search ends: 2^-60, which no uniform number of 52 bits resolves.
constexpr double NEGLIGIBLE = 8.673617379884035e-19;

/// The z > 1.4 with P(Z > z) = exp(-r^2) for a standard normal Z.
__device__ __forceinline__ double tail_quantile(double r) {
    if (r <= 5.0) {
        const double x = r - 1.6;
        double top = 7.7454501427834140764e-4;
        top = top * x + 0.0227238449892691845833;
        top = top * x + 0.24178072517745061177;
        top = top * x + 1.27045825245236838258;
        top = top * x + 3.64784832476320460504;
        top = top * x + 5.7694972214606914055;
        top = top * x + 4.6303378461565452959;
        top = top * x + 1.42343711074968357734;
        double bottom = 1.05075007164441684324e-9;
        bottom = bottom * x + 5.475938084995344946e-4;
        bottom = bottom * x + 0.0151986665636164571966;
        bottom = bottom * x + 0.14810397642748007459;
        bottom = bottom * x + 0.68976733498510000455;
        bottom = bottom * x + 1.6763848301838038494;
        bottom = bottom * x + 2.05319162663775882187;
        bottom = bottom * x + 1.0;
        return top / bottom;
    }
    const double x = r - 5.0;
    double top = 2.01033439929228813265e-7;
    top = top * x + 2.71155556874348757815e-5;
    top = top * x + 0.0012426609473880784386;
    top = top * x + 0.026532189526576123093;
    top = top * x + 0.29656057182850489123;
    top = top * x + 1.7848265399172913358;
    top = top * x + 5.4637849111641143699;
    top = top * x + 6.6579046435011037772;
    double bottom = 2.04426310338993978564e-15;
    bottom = bottom * x + 1.4215117583164458887e-7;
    bottom = bottom * x + 1.8463183175100546818e-5;
    bottom = bottom * x + 7.868691311456132591e-4;
    bottom = bottom * x + 0.0148753612908506148525;
    bottom = bottom * x + 0.13692988092273580531;
    bottom = bottom * x + 0.59983220655588793769;
    bottom = bottom * x + 1.0;
    return top / bottom;
}

/// The quantile of a standard normal distribution at 0 < u < 1; relative error below 2e-15.
///
/// Wichura's AS 241 (Applied Statistics 37, 477, 1988): rational functions of u - 1/2 and of sqrt(-ln(min(u, 1 - u))).
__device__ __forceinline__ double normal_quantile(double u) {
    const double q = u - 0.5;
    if (q > -0.425 && q < 0.425) {
        const double r = 0.180625 - q * q;
        double top = 2509.0809287301226727;
        top = top * r + 33430.575583588128105;
        top = top * r + 67265.770927008700853;
        top = top * r + 45921.953931549871457;
        top = top * r + 13731.693765509461125;
        top = top * r + 1971.5909503065514427;
        top = top * r + 133.14166789178437745;
        top = top * r + 3.387132872796366608;
        double bottom = 5226.495278852854561;
        bottom = bottom * r + 28729.085735721942674;
        bottom = bottom * r + 39307.89580009271061;
        bottom = bottom * r + 21213.794301586595867;
        bottom = bottom * r + 5394.1960214247511077;
        bottom = bottom * r + 687.1870074920579083;
        bottom = bottom * r + 42.313330701600911252;
        bottom = bottom * r + 1.0;
        return q * top / bottom;
    }
    double tail = u;
    if (q > 0.0) {
        tail = 1.0 - u;
    }
    const double z = tail_quantile(sqrt(-ln(tail)));
    if (q < 0.0) {
        return -z;
    }
    return z;
}

/// An expectation times its factor: exp(x) where `log_normal`, otherwise x where it is positive; x is at most `most`.
__device__ __forceinline__ double smeared(double expected, double x, double most, bool log_normal) {
    double held = x;
    if (held > most) {
        held = most;
    }
    if (log_normal) {
        return expected * exp(held);
    }
    if (held > 0.0) {
        return expected * held;
    }
    return 0.0;
}

/// Takes P(0), P(1), ... off u until nothing is left: the inverted distribution function. About mean + 1 steps.
__device__ __forceinline__ u32 poisson_from_zero(double mean, double u) {
    // exp(-mean) is above 1 - mean, so that most small cells need none.
    if (u <= 1.0 - mean) {
        return 0;
    }
    double term = exp(-mean);
    double rest = u - term;
    double count = 0.0;
    while (rest >= 0.0 && term > NEGLIGIBLE) {
        count += 1.0;
        term *= mean / count;
        rest -= term;
    }
    return (u32)count;
}

/// The probability of the mode of a Poisson distribution, for a mean of at least 16; relative error below 1e-15.
///
/// With m the mode and v = (mean - m) / m < 1/16 it is exp(-m (v - ln(1 + v)) - mu) / sqrt(2 pi m), mu being what Stirling's
/// formula leaves out; the exponent is below 0.04, so that short series serve.
__device__ __forceinline__ double probability_of_mode(double mode, double mean) {
    const double inverse = 1.0 / mode;
    const double v = (mean - mode) * inverse;
    double series = 1.0 / 13.0;
    series = 1.0 / 12.0 - series * v;
    series = 1.0 / 11.0 - series * v;
    series = 1.0 / 10.0 - series * v;
    series = 1.0 / 9.0 - series * v;
    series = 1.0 / 8.0 - series * v;
    series = 1.0 / 7.0 - series * v;
    series = 1.0 / 6.0 - series * v;
    series = 1.0 / 5.0 - series * v;
    series = 1.0 / 4.0 - series * v;
    series = 1.0 / 3.0 - series * v;
    series = 1.0 / 2.0 - series * v;
    const double w = inverse * inverse;
    double stirling = 1.0 / 1188.0;
    stirling = stirling * w - 1.0 / 1680.0;
    stirling = stirling * w + 1.0 / 1260.0;
    stirling = stirling * w - 1.0 / 360.0;
    stirling = stirling * w + 1.0 / 12.0;
    const double y = (mean - mode) * v * series + stirling * inverse;
    double power = 1.0 / 40320.0;
    power = 1.0 / 5040.0 - power * y;
    power = 1.0 / 720.0 - power * y;
    power = 1.0 / 120.0 - power * y;
    power = 1.0 / 24.0 - power * y;
    power = 1.0 / 6.0 - power * y;
    power = 1.0 / 2.0 - power * y;
    power = 1.0 - power * y;
    power = 1.0 - power * y;
    return power / sqrt(TWO_PI * mode);
}

/// Takes the probabilities of the mode m, of m + 1, m - 1, m + 2, m - 2, ... off u until nothing is left. About
/// 0.8 sqrt(mean) steps, which take two each. Each count has its probability, but counts do not rise with u.
__device__ __forceinline__ u32 poisson_from_mode(double mean, double u) {
    const double mode = (double)((u32)mean);
    const double inverse = 1.0 / mean;
    double above = probability_of_mode(mode, mean);
    double below = above;
    double rest = u - above;
    if (rest < 0.0) {
        return (u32)mode;
    }
    double high = mode;
    double low = mode;
    while (above > NEGLIGIBLE) {
        high += 1.0;
        above *= mean / high;
        rest -= above;
        if (rest < 0.0) {
            return (u32)high;
        }
        below *= low * inverse;
        low -= 1.0;
        rest -= below;
        if (rest < 0.0) {
            return (u32)low;
        }
    }
    return (u32)mode;
}

/// The Poisson number that a uniform 0 < u < 1 draws, for any mean of 0 or more.
__device__ __forceinline__ u32 poisson_draw(double mean, double u) {
    if (mean < FROM_MODE) {
        return poisson_from_zero(mean, u);
    }
    return poisson_from_mode(mean, u);
}

}  // namespace toys
