// features.image: an image of each jet from its constituents, a warp a jet.
//
// Shared memory has share of pT, rapidity, azimuth and pixel of each constituent, 28 bytes; a lane has every 32nd. Sums are those of
// the lanes and then of pairs of lanes, as on the CPU. The first constituent of a pixel adds the others to its share in their
// order, and its lane writes the pixel over the zeros that are there.
#include "common/warp.cuh"
#include "features/image.cuh"

namespace image {

/// The columns of a warp's jet.
struct Constituents {
    /// pT, and then its share of the sum.
    double* share;
    double* y;
    double* phi;
    u32* pixel;
};

}  // namespace image

extern "C" __global__ void __launch_bounds__(256, 4) features_image(
    const u32* offsets, const double* px, const double* py, const double* pz, const double* energy, u32 jets, u32 groups,
    u32 largest, u32 in_cone, const u32* events, const double* axis_y, const double* axis_phi, double radius2, u32 pixels,
    double step, u32 rotates, u32 reflects, float* values, u32* out_number, u32* out_outside, u32* out_verdict) {
    using namespace image;
    extern __shared__ double memory[];
    const u32 warps = blockDim.x / warp::LANES;
    const u32 which = threadIdx.x / warp::LANES;
    const u32 lane = threadIdx.x % warp::LANES;
    if (which >= warps) return;  // part of a warp
    double* mine = memory + 3u * largest * which;
    u32* numbers = (u32*)(memory + 3u * largest * warps);
    const Constituents jet = {mine, mine + largest, mine + 2u * largest, numbers + largest * which};
    const Raster raster = {pixels, step, (double)(pixels / 2u)};
    const u32 size = pixels * pixels;

    for (u32 j = blockIdx.x * warps + which; j < jets; j += gridDim.x * warps) {
        float* values_of_jet = values + (u64)j * size;
        for (u32 at = lane; at < size; at += warp::LANES) values_of_jet[at] = 0.0f;
        const u32 group = in_cone ? events[j] : j;
        bool good = group < groups;
        const u32 start = good ? offsets[group] : 0u;
        u32 count = good ? offsets[group + 1u] - start : 0u;
        if (count > largest) {
            good = false;
            count = 0u;
        }
        double sum_px = 0.0;
        double sum_py = 0.0;
        for (u32 k = lane; k < count; k += warp::LANES) {
            const FourMomentum p = {px[start + k], py[start + k], pz[start + k], energy[start + k]};
            const double pt2 = cluster::pt2_of(p);
            good = good && is_good(p, pt2);
            jet.share[k] = pt_of(pt2);
            jet.y[k] = cluster::rapidity_of(p, pt2);
            jet.phi[k] = det::quick_atan2(p.py, p.px);
            sum_px += p.px;
            sum_py += p.py;
        }
        Axis axis = {0.0, 0.0};
        if (in_cone) {
            axis = Axis{axis_y[j], angle::wrap_phi(axis_phi[j])};
            good = good && det::is_finite(axis.y) && det::is_finite(axis.phi);
        } else {
            // Its rapidity would be taken away again.
            sum_py = warp::sum_of(sum_py);
            sum_px = warp::sum_of(sum_px);
            axis.phi = det::quick_atan2(sum_py, sum_px);
        }
        double sum = 0.0;
        double number = 0.0;
        warp::Largest hardest = {0.0, warp::NOBODY};
        for (u32 k = lane; k < count; k += warp::LANES) {
            const Placed at = placed(jet.share[k], jet.y[k], jet.phi[k], axis, radius2);
            jet.share[k] = at.pt;
            jet.y[k] = at.y;
            jet.phi[k] = at.phi;
            sum += at.pt;
            number += at.pt > 0.0 ? 1.0 : 0.0;
            hardest.look(at.pt, k);
        }
        sum = warp::sum_of(sum);
        number = warp::sum_of(number);
        hardest = warp::largest_of(hardest);
        u32 verdict = MADE;
        if (hardest.place == warp::NOBODY) verdict = NO_PT;
        if (__ballot_sync(warp::ALL, !good) != 0u) verdict = REFUSED;
        if (verdict != MADE) {
            if (lane == 0u) {
                out_number[j] = 0u;
                out_outside[j] = 0u;
                out_verdict[j] = verdict;
            }
            continue;
        }

        double mean_y = 0.0;
        double mean_phi = 0.0;
        for (u32 k = lane; k < count; k += warp::LANES) {
            const double share = jet.share[k] / sum;
            jet.share[k] = share;
            mean_y += share * jet.y[k];
            mean_phi += share * jet.phi[k];
        }
        mean_y = warp::sum_of(mean_y);
        mean_phi = warp::sum_of(mean_phi);
        double yy = 0.0;
        double y_phi = 0.0;
        double phi_phi = 0.0;
        for (u32 k = lane; k < count; k += warp::LANES) {
            const double share = jet.share[k];
            const double y = jet.y[k] - mean_y;
            const double phi = jet.phi[k] - mean_phi;
            jet.y[k] = y;
            jet.phi[k] = phi;
            yy += share * (y * y);
            y_phi += share * (y * phi);
            phi_phi += share * (phi * phi);
        }
        Turn turn = {1.0, 0.0};
        if (rotates && number > 2.0) turn = turn_of(warp::sum_of(yy), warp::sum_of(y_phi), warp::sum_of(phi_phi));
        __syncwarp();  // the place of the hardest is there for all lanes
        double y_sign = 1.0;
        double phi_sign = 1.0;
        if (reflects) {
            y_sign = sign_of(turned_y(turn, jet.y[hardest.place], jet.phi[hardest.place]));
            phi_sign = sign_of(turned_phi(turn, jet.y[hardest.place], jet.phi[hardest.place]));
        }
        double total = 0.0;
        double outside = 0.0;
        for (u32 k = lane; k < count; k += warp::LANES) {
            const double share = jet.share[k];
            const double y = turned_y(turn, jet.y[k], jet.phi[k]);
            const double phi = turned_phi(turn, jet.y[k], jet.phi[k]);
            u32 pixel = NO_PIXEL;
            if (share > 0.0) pixel = raster.pixel_of(y_sign * y, phi_sign * phi);
            jet.pixel[k] = pixel;
            total += pixel != NO_PIXEL ? share : 0.0;
            outside += share > 0.0 && pixel == NO_PIXEL ? 1.0 : 0.0;
        }
        total = warp::sum_of(total);
        outside = warp::sum_of(outside);
        __syncwarp();  // shares and pixels of all are there, and the image's zeros are below what comes
        for (u32 k = lane; k < count; k += warp::LANES) {
            const u32 pixel = jet.pixel[k];
            bool first = pixel != NO_PIXEL;
            for (u32 before = 0u; first && before < k; ++before) first = jet.pixel[before] != pixel;
            if (!first) continue;
            double of_pixel = jet.share[k];
            for (u32 after = k + 1u; after < count; ++after) {
                if (jet.pixel[after] == pixel) of_pixel += jet.share[after];
            }
            values_of_jet[pixel] = (float)(of_pixel / total);
        }
        if (lane == 0u) {
            out_number[j] = (u32)number;
            out_outside[j] = (u32)outside;
            out_verdict[j] = outside == number ? ALL_OUTSIDE : MADE;
        }
        __syncwarp();  // nobody looks at this jet any more
    }
}
